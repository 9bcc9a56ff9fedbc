use std::time::Duration;

use super::{Fault, Remedy, Verdict, verdict};

/// Why a logout token is not acceptable (OpenID Connect Back-Channel Logout section 2.6). The answer to it is 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutTokenError {
    /// The token is not a signed JWT with the claims that every logout token has.
    #[error("the logout token is not a signed JWT with the required claims")]
    Malformed,
    /// `typ` is that of another kind of token.
    #[error("the token is of another type than `logout+jwt`")]
    WrongType,
    /// The header has `crit` or `cty`.
    #[error("the logout token's header asks for something that is not supported")]
    UnsupportedHeader,
    /// The token has no signature (`alg` is `none`).
    #[error("the logout token is not signed")]
    Unsigned,
    /// The signature algorithm is not on the client's list.
    #[error("the logout token's signature algorithm `{algorithm}` is not allowed")]
    AlgorithmRefused {
        /// The `alg` of the header.
        algorithm: String,
    },
    /// The provider has no key of this id for this algorithm, even after a refetch.
    #[error("the logout token is signed by a key that the provider does not publish")]
    UnknownKey,
    /// The token names no key, and several of the provider's would fit.
    #[error("the logout token does not say which of the provider's keys signed it")]
    AmbiguousKey,
    /// The signature is wrong.
    #[error("the logout token's signature is wrong")]
    BadSignature,
    /// `iss` is another issuer.
    #[error("the logout token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name this client.
    #[error("the logout token is meant for another client")]
    WrongAudience,
    /// `aud` names others besides this client.
    #[error("the logout token is meant for others besides this client")]
    ForeignAudience,
    /// `exp` has passed.
    #[error("the logout token expired {} s ago, more than the tolerated drift", .ago.as_secs())]
    Expired {
        /// How long ago, by this machine's clock.
        ago: Duration,
    },
    /// `iat` lies in the future.
    #[error("the logout token was issued {} s in the future: the clocks differ", .ahead.as_secs())]
    IssuedInFuture {
        /// How far ahead of this machine's clock.
        ahead: Duration,
    },
    /// `iat` lies more than ten minutes back.
    #[error("the logout token was issued {} s ago, too long for one that is on its way", .ago.as_secs())]
    TooOld {
        /// How long ago, by this machine's clock.
        ago: Duration,
    },
    /// There is neither `sub` nor `sid`.
    #[error("the logout token names neither a person nor a session")]
    NamesNobody,
    /// `events` does not hold the back-channel logout event.
    #[error("the token does not say that it is about a logout")]
    NoLogoutEvent,
    /// There is a `nonce`: it is an ID token.
    #[error("the token has a nonce, which no logout token has")]
    HasNonce,
    /// This very token was accepted before.
    #[error("the logout token was accepted before")]
    Replayed,
}

impl LogoutTokenError {
    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Provider, Visitor};
        use Remedy::{AskProvider, CheckClock, FixApplication};
        match self {
            Self::Malformed => verdict("logout_token.malformed", Visitor, AskProvider),
            Self::WrongType => verdict("logout_token.wrong_type", Visitor, AskProvider),
            Self::UnsupportedHeader => verdict("logout_token.unsupported_header", Provider, AskProvider),
            Self::Unsigned => verdict("logout_token.unsigned", Visitor, AskProvider),
            Self::AlgorithmRefused { .. } => {
                verdict("logout_token.algorithm_refused", Application, FixApplication)
            }
            Self::UnknownKey => verdict("logout_token.unknown_key", Visitor, AskProvider),
            Self::AmbiguousKey => verdict("logout_token.ambiguous_key", Provider, AskProvider),
            Self::BadSignature => verdict("logout_token.bad_signature", Visitor, AskProvider),
            Self::WrongIssuer => verdict("logout_token.wrong_issuer", Application, FixApplication),
            Self::WrongAudience => verdict("logout_token.wrong_audience", Application, FixApplication),
            Self::ForeignAudience => verdict("logout_token.foreign_audience", Provider, AskProvider),
            Self::Expired { .. } => verdict("logout_token.expired", Provider, CheckClock),
            Self::IssuedInFuture { .. } => verdict("logout_token.issued_in_future", Application, CheckClock),
            Self::TooOld { .. } => verdict("logout_token.too_old", Provider, CheckClock),
            Self::NamesNobody => verdict("logout_token.names_nobody", Provider, AskProvider),
            Self::NoLogoutEvent => verdict("logout_token.no_logout_event", Visitor, AskProvider),
            Self::HasNonce => verdict("logout_token.has_nonce", Visitor, AskProvider),
            Self::Replayed => verdict("logout_token.replayed", Visitor, AskProvider),
        }
    }
}
