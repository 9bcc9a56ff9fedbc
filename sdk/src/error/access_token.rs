use std::time::Duration;

use super::{Fault, Remedy, Verdict, verdict};

/// Why an access token does not open this API (RFC 9068 section 4, RFC 6750 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// The request has no access token.
    #[error("the request has no access token")]
    Missing,
    /// The request has an Authorization header that is no single `Bearer` token.
    #[error("the request's Authorization header is not one Bearer token")]
    BadRequest,
    /// The token is not a signed JWT with the claims that every access token has, or it is opaque, and the API was not
    /// told where to ask about those.
    #[error("the access token is not a signed JWT with the required claims")]
    Malformed,
    /// `typ` is that of another kind of token, such as an ID token.
    #[error("the token is of another type than `at+jwt`")]
    WrongType,
    /// The header has `crit` or `cty`.
    #[error("the access token's header asks for something that is not supported")]
    UnsupportedHeader,
    /// The token has no signature (`alg` is `none`).
    #[error("the access token is not signed")]
    Unsigned,
    /// The signature algorithm is not on the list.
    #[error("the access token's signature algorithm `{algorithm}` is not allowed")]
    AlgorithmRefused {
        /// The `alg` of the header.
        algorithm: String,
    },
    /// The provider has no key of this id for this algorithm, even after a refetch.
    #[error("the access token is signed by a key that the provider does not publish")]
    UnknownKey,
    /// The token names no key, and several of the provider's would fit.
    #[error("the access token does not say which of the provider's keys signed it")]
    AmbiguousKey,
    /// The signature is wrong.
    #[error("the access token's signature is wrong")]
    BadSignature,
    /// `iss` is another issuer.
    #[error("the access token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name this API.
    #[error("the access token is meant for another API")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the access token expired {} s ago, more than the tolerated drift", .ago.as_secs())]
    Expired {
        /// How long ago, by this machine's clock.
        ago: Duration,
    },
    /// `nbf` or `iat` lies in the future.
    #[error("the access token is valid only in {} s: the clocks differ", .ahead.as_secs())]
    FromTheFuture {
        /// How far ahead of this machine's clock.
        ahead: Duration,
    },
    /// The token is bound to a key (`cnf`), which its bearer did not show.
    #[error("the access token is bound to a key, and a bearer alone may not use it")]
    BoundToKey,
    /// The provider says that the opaque token is expired, revoked or none of its own.
    #[error("the provider says that the access token is not active")]
    Inactive,
    /// The token lacks a scope that the request needs.
    #[error("the access token lacks the scope `{scope}`")]
    InsufficientScope {
        /// All that the request needs, separated by spaces.
        scope: String,
    },
    /// The token is not an organization's, and the request needs one of it.
    #[error("the access token is not for an organization")]
    NoOrganization,
}

impl AccessTokenError {
    /// The HTTP status of the answer (RFC 6750 section 3.1).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::InsufficientScope { .. } | Self::NoOrganization => 403,
            _ => 401,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Provider, Visitor};
        use Remedy::{AskProvider, CheckClock, FixApplication, SignInAgain};
        match self {
            Self::Missing => verdict("access_token.missing", Visitor, SignInAgain),
            Self::BadRequest => verdict("access_token.bad_request", Visitor, FixApplication),
            Self::Malformed => verdict("access_token.malformed", Visitor, SignInAgain),
            Self::WrongType => verdict("access_token.wrong_type", Visitor, FixApplication),
            Self::UnsupportedHeader => verdict("access_token.unsupported_header", Provider, AskProvider),
            Self::Unsigned => verdict("access_token.unsigned", Visitor, SignInAgain),
            Self::AlgorithmRefused { .. } => {
                verdict("access_token.algorithm_refused", Application, FixApplication)
            }
            Self::UnknownKey => verdict("access_token.unknown_key", Visitor, SignInAgain),
            Self::AmbiguousKey => verdict("access_token.ambiguous_key", Provider, AskProvider),
            Self::BadSignature => verdict("access_token.bad_signature", Visitor, SignInAgain),
            Self::WrongIssuer => verdict("access_token.wrong_issuer", Visitor, FixApplication),
            Self::WrongAudience => verdict("access_token.wrong_audience", Visitor, FixApplication),
            Self::Expired { .. } => verdict("access_token.expired", Visitor, SignInAgain),
            Self::FromTheFuture { .. } => verdict("access_token.from_the_future", Application, CheckClock),
            Self::BoundToKey => verdict("access_token.bound_to_key", Visitor, FixApplication),
            Self::Inactive => verdict("access_token.inactive", Visitor, SignInAgain),
            Self::InsufficientScope { .. } => {
                verdict("access_token.insufficient_scope", Visitor, SignInAgain)
            }
            Self::NoOrganization => verdict("access_token.no_organization", Visitor, SignInAgain),
        }
    }
}
