use super::{ApiCode, Fault, Remedy, Verdict, verdict};
use crate::transport::TransportError;

/// Why Logto's Account or Management API did not do what it was asked. Answers that are expected, such as a wrong password
/// or a code that has expired, are no errors: they are values of the calls.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The endpoint is not the root of a Logto or a companion.
    #[error(
        "the endpoint must be an https URL (plain http is for loopback addresses) without path, query, fragment and credentials"
    )]
    Endpoint,
    /// The issuer is not one of Logto's form, so that the address of the Account API is not known.
    #[error("the issuer does not end with /oidc, as Logto's and the companion's do: there is no Account API")]
    NotLogto,
    /// An id has characters that no id has: it would have named another address of the API.
    #[error("what was given as an id is none: ids are letters, digits, `-` and `_`, at most 128")]
    BadId,
    /// A search for nobody in particular would have found anybody.
    #[error("the value that is searched for is empty")]
    EmptySearch,
    /// No response came.
    #[error("{operation}: the API could not be reached: {cause}")]
    Unreachable {
        /// What was asked.
        operation: &'static str,
        /// What the transport said.
        #[source]
        cause: TransportError,
    },
    /// The access token of the session is expired, revoked, or not the provider's own.
    #[error(
        "{operation}: the API does not accept the access token: refresh the session, and give the session's own token and not that of another API"
    )]
    TokenRefused {
        /// What was asked.
        operation: &'static str,
    },
    /// The API answered with an error.
    #[error("{operation}: the API refused with `{code}` (status {status})")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// Logto's own code.
        code: ApiCode,
    },
    /// The answer is not of the form that Logto documents.
    #[error("{operation}: the answer of the API does not have the form that this version of keyback knows")]
    Malformed {
        /// What was asked.
        operation: &'static str,
    },
}

impl ApiError {
    /// Logto's code, where the API answered with one.
    #[must_use]
    pub fn api_code(&self) -> Option<&ApiCode> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Network, Provider, Visitor};
        use Remedy::{AskProvider, FixApplication, RetryLater, SignInAgain};
        match self {
            Self::Endpoint => verdict("api.endpoint", Application, FixApplication),
            Self::NotLogto => verdict("api.not_logto", Application, FixApplication),
            Self::BadId => verdict("api.bad_id", Application, FixApplication),
            Self::EmptySearch => verdict("api.empty_search", Application, FixApplication),
            Self::Unreachable {
                cause: TransportError::TooLarge { .. },
                ..
            } => verdict("api.too_large", Provider, AskProvider),
            Self::Unreachable {
                cause: TransportError::Insecure,
                ..
            } => verdict("api.insecure", Application, FixApplication),
            Self::Unreachable { .. } => verdict("api.unreachable", Network, RetryLater),
            Self::TokenRefused { .. } => verdict("api.token_refused", Visitor, SignInAgain),
            Self::Refused { code, status, .. } => match (code, status) {
                (ApiCode::MessageRateLimited | ApiCode::TooManyAttempts, _) => {
                    verdict("api.rate_limited", Visitor, RetryLater)
                }
                (ApiCode::VerificationRequired | ApiCode::VerificationNotFound, _) => {
                    verdict("api.verification_required", Visitor, SignInAgain)
                }
                // 501 is Logto's word for a connector that is missing: trying again changes nothing.
                (ApiCode::ConnectorNotFound, _) => verdict("api.no_connector", Provider, AskProvider),
                (_, 429 | 500 | 502..=599) => verdict("api.unavailable", Provider, RetryLater),
                _ => verdict("api.refused", Application, FixApplication),
            },
            Self::Malformed { .. } => verdict("api.malformed", Provider, AskProvider),
        }
    }
}
