use std::time::Duration;

use super::{Fault, Remedy, Verdict, verdict};
use crate::clock_drift::{ClockDrift, told};

/// Why an ID token is not acceptable (OpenID Connect Core section 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// The token is not a signed JWT with the claims that every ID token has.
    #[error("the ID token is not a signed JWT with the required claims")]
    Malformed,
    /// The header has `crit`, `cty` or a `typ` that an ID token cannot have.
    #[error("the ID token's header asks for something that is not supported")]
    UnsupportedHeader,
    /// The token has no signature (`alg` is `none`).
    #[error("the ID token is not signed")]
    Unsigned,
    /// The signature algorithm is not on the client's list.
    #[error("the ID token's signature algorithm `{algorithm}` is not allowed")]
    AlgorithmRefused {
        /// The `alg` of the header.
        algorithm: String,
    },
    /// The provider has no key of this id for this algorithm, even after a refetch.
    #[error("the ID token is signed by a key that the provider does not publish")]
    UnknownKey,
    /// The token names no key, and several of the provider's would fit.
    #[error("the ID token does not say which of the provider's keys signed it")]
    AmbiguousKey,
    /// The signature is wrong.
    #[error("the ID token's signature is wrong")]
    BadSignature,
    /// `iss` is another issuer.
    #[error("the ID token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name this client.
    #[error("the ID token is meant for another client")]
    WrongAudience,
    /// `aud` names others besides this client.
    #[error("the ID token is meant for others besides this client")]
    ForeignAudience,
    /// `azp` names another client.
    #[error("the ID token was issued to another client")]
    WrongAuthorizedParty,
    /// `exp` has passed.
    #[error("the ID token expired {} s ago, more than the tolerated drift{}", .ago.as_secs(), told(.drift))]
    Expired {
        /// How long ago, by this machine's clock.
        ago: Duration,
        /// How far the clocks differ, if they notably do.
        drift: Option<ClockDrift>,
    },
    /// `iat` lies in the future.
    #[error("the ID token was issued {} s in the future, so the clocks differ{}", .ahead.as_secs(), told(.drift))]
    IssuedInFuture {
        /// How far ahead of this machine's clock.
        ahead: Duration,
        /// How far the clocks differ, if they notably do.
        drift: Option<ClockDrift>,
    },
    /// `nbf` lies in the future.
    #[error("the ID token is not valid until in {} s, so the clocks differ{}", .ahead.as_secs(), told(.drift))]
    NotYetValid {
        /// How far ahead of this machine's clock.
        ahead: Duration,
        /// How far the clocks differ, if they notably do.
        drift: Option<ClockDrift>,
    },
    /// There is no `nonce`.
    #[error("the ID token has no nonce")]
    MissingNonce,
    /// The `nonce` is not the one that was sent.
    #[error("the ID token's nonce is not the one that was sent")]
    NonceMismatch,
    /// `at_hash` does not fit the access token.
    #[error("the ID token does not belong to the access token")]
    AccessTokenMismatch,
    /// `max_age` was asked and there is no `auth_time`.
    #[error("the ID token does not say when the person signed in, although that was asked")]
    MissingAuthTime,
    /// The person signed in longer ago than `max_age` allows.
    #[error("the person signed in {} s longer ago than was asked", .by.as_secs())]
    AuthTooOld {
        /// By how much.
        by: Duration,
    },
    /// `sub` is empty or longer than 255 characters.
    #[error("the ID token's subject is empty or too long")]
    BadSubject,
    /// After a refresh: the token is about somebody else than the session (OpenID Connect Core section 12.2).
    #[error("the refreshed ID token is about another person")]
    SubjectChanged,
}

impl IdTokenError {
    /// The same error, which tells by how much the clocks differ where it is about the time.
    pub(crate) fn with_drift(mut self, measured: Option<ClockDrift>) -> Self {
        if let Self::Expired { drift, .. }
        | Self::IssuedInFuture { drift, .. }
        | Self::NotYetValid { drift, .. } = &mut self
        {
            *drift = measured;
        }
        self
    }

    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Provider, Visitor};
        use Remedy::{AskProvider, CheckClock, FixApplication, SignInAgain};
        match self {
            Self::Malformed => verdict("id_token.malformed", Provider, AskProvider),
            Self::UnsupportedHeader => verdict("id_token.unsupported_header", Provider, AskProvider),
            Self::Unsigned => verdict("id_token.unsigned", Provider, AskProvider),
            Self::AlgorithmRefused { .. } => {
                verdict("id_token.algorithm_refused", Application, FixApplication)
            }
            Self::UnknownKey => verdict("id_token.unknown_key", Provider, AskProvider),
            Self::AmbiguousKey => verdict("id_token.ambiguous_key", Provider, AskProvider),
            Self::BadSignature => verdict("id_token.bad_signature", Provider, AskProvider),
            Self::WrongIssuer => verdict("id_token.wrong_issuer", Provider, AskProvider),
            Self::WrongAudience => verdict("id_token.wrong_audience", Application, FixApplication),
            Self::ForeignAudience => verdict("id_token.foreign_audience", Provider, AskProvider),
            Self::WrongAuthorizedParty => verdict("id_token.wrong_authorized_party", Provider, AskProvider),
            Self::Expired { .. } => verdict("id_token.expired", Provider, CheckClock),
            Self::IssuedInFuture { .. } => verdict("id_token.issued_in_future", Application, CheckClock),
            Self::NotYetValid { .. } => verdict("id_token.not_yet_valid", Application, CheckClock),
            Self::MissingNonce => verdict("id_token.missing_nonce", Provider, AskProvider),
            Self::NonceMismatch => verdict("id_token.nonce_mismatch", Visitor, SignInAgain),
            Self::AccessTokenMismatch => verdict("id_token.access_token_mismatch", Provider, AskProvider),
            Self::MissingAuthTime => verdict("id_token.missing_auth_time", Provider, AskProvider),
            Self::AuthTooOld { .. } => verdict("id_token.auth_too_old", Visitor, SignInAgain),
            Self::BadSubject => verdict("id_token.bad_subject", Provider, AskProvider),
            Self::SubjectChanged => verdict("id_token.subject_changed", Provider, SignInAgain),
        }
    }
}
