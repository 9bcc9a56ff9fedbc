use super::{Fault, Remedy, Verdict, verdict};
use crate::transport::TransportError;

/// Why the userinfo endpoint gave no acceptable claims (OpenID Connect Core section 5.3).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserInfoError {
    /// The provider has no userinfo endpoint.
    #[error("the provider has no userinfo endpoint")]
    NotOffered,
    /// No response came.
    #[error("the userinfo endpoint could not be reached: {0}")]
    Unreachable(#[source] TransportError),
    /// The access token is expired or revoked: refresh it.
    #[error("the provider no longer accepts the access token")]
    TokenRefused,
    /// The provider answered with another error.
    #[error("the userinfo endpoint answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The response is not a JSON object with a subject. Signed responses are not supported.
    #[error("the answer of the userinfo endpoint is not valid")]
    Malformed,
    /// The claims are about somebody else than the ID token (OpenID Connect Core section 5.3.2).
    #[error("the userinfo endpoint answered about another person")]
    SubjectMismatch,
}

impl UserInfoError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::NotOffered => verdict("user_info.not_offered", Fault::Provider, Remedy::AskProvider),
            Self::Unreachable(TransportError::TooLarge { .. }) => {
                verdict("user_info.too_large", Fault::Provider, Remedy::AskProvider)
            }
            Self::Unreachable(TransportError::Insecure) => {
                verdict("user_info.insecure", Fault::Application, Remedy::FixApplication)
            }
            Self::Unreachable(_) => verdict("user_info.unreachable", Fault::Network, Remedy::RetryLater),
            Self::TokenRefused => verdict("user_info.token_refused", Fault::Visitor, Remedy::SignInAgain),
            Self::Status {
                status: 500..=599 | 429,
            } => verdict("user_info.status", Fault::Provider, Remedy::RetryLater),
            Self::Status { .. } => verdict("user_info.status", Fault::Provider, Remedy::AskProvider),
            Self::Malformed => verdict("user_info.malformed", Fault::Provider, Remedy::AskProvider),
            Self::SubjectMismatch => {
                verdict("user_info.subject_mismatch", Fault::Provider, Remedy::AskProvider)
            }
        }
    }
}
