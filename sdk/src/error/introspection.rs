use super::{Fault, Remedy, Verdict, verdict};
use crate::transport::TransportError;

/// Why the provider's introspection endpoint did not say what an access token is worth (RFC 7662 section 2.3).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// No response came.
    #[error("the introspection endpoint could not be reached: {0}")]
    Unreachable(#[source] TransportError),
    /// The API could not prove who it is.
    #[error("the introspection endpoint does not accept the API's client id or secret")]
    InvalidClient,
    /// The provider answered with another error.
    #[error("the introspection endpoint answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The response is not a JSON object that says whether the token is active.
    #[error("the answer of the introspection endpoint is not valid")]
    Malformed,
}

impl IntrospectionError {
    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Network, Provider};
        use Remedy::{AskProvider, FixApplication, RetryLater};
        match self {
            Self::Unreachable(TransportError::TooLarge { .. }) => {
                verdict("introspection.too_large", Provider, AskProvider)
            }
            Self::Unreachable(TransportError::Insecure) => {
                verdict("introspection.insecure", Application, FixApplication)
            }
            Self::Unreachable(_) => verdict("introspection.unreachable", Network, RetryLater),
            Self::InvalidClient => verdict("introspection.invalid_client", Application, FixApplication),
            Self::Status {
                status: 429 | 500..=599,
            } => verdict("introspection.status", Provider, RetryLater),
            Self::Status { .. } => verdict("introspection.status", Application, FixApplication),
            Self::Malformed => verdict("introspection.malformed", Provider, AskProvider),
        }
    }
}
