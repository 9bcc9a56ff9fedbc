use super::{Fault, ProviderError, Remedy, Verdict, verdict};
use crate::client::endpoint::Failure;
use crate::transport::TransportError;

/// Why the token endpoint gave no tokens.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No response came.
    #[error("the token endpoint could not be reached: {0}")]
    Unreachable(#[source] TransportError),
    /// The provider is overloaded or broken.
    #[error("the token endpoint answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The code or refresh token is used, expired, revoked or somebody else's (RFC 6749 section 5.2).
    #[error("the provider does not accept the code or refresh token (invalid_grant)")]
    InvalidGrant,
    /// The client could not prove who it is (RFC 6749 section 5.2).
    #[error("the provider does not accept the client id, or its secret or key (invalid_client)")]
    InvalidClient,
    /// Any other refusal of the provider.
    #[error("the token endpoint refused: {0}")]
    Refused(ProviderError),
    /// The response is not a token response (RFC 6749 section 5.1).
    #[error("the answer of the token endpoint is not valid")]
    Malformed,
    /// The tokens are of a kind that this client cannot use.
    #[error("the access token is not a bearer token")]
    NotBearer,
    /// A proof was sent, and the access token is not bound to its key (RFC 9449 section 5).
    #[error("the access token is not bound to the session's key, although the provider promises it (DPoP)")]
    NotBound,
    /// What proves who the client is, or that it has its key, could not be signed.
    #[error("the request could not be signed")]
    Unsigned,
    /// The response has no ID token (OpenID Connect Core section 3.1.3.3).
    #[error("the token response has no ID token")]
    MissingIdToken,
    /// The session has no refresh token: ask for the scope `offline_access`.
    #[error("there is no refresh token")]
    NoRefreshToken,
    /// The API's identifier is not an absolute URI without fragment (RFC 8707 section 2).
    #[error("the resource is not an absolute URI without a fragment")]
    Resource,
}

impl ExchangeError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable(TransportError::TooLarge { .. }) => {
                verdict("exchange.too_large", Fault::Provider, Remedy::AskProvider)
            }
            Self::Unreachable(TransportError::Insecure) => {
                verdict("exchange.insecure", Fault::Application, Remedy::FixApplication)
            }
            Self::Unreachable(_) => verdict("exchange.unreachable", Fault::Network, Remedy::RetryLater),
            Self::Unavailable { .. } => verdict("exchange.unavailable", Fault::Provider, Remedy::RetryLater),
            Self::InvalidGrant => verdict("exchange.invalid_grant", Fault::Visitor, Remedy::SignInAgain),
            Self::InvalidClient => verdict(
                "exchange.invalid_client",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::Refused(_) => verdict("exchange.refused", Fault::Application, Remedy::FixApplication),
            Self::Malformed => verdict("exchange.malformed", Fault::Provider, Remedy::AskProvider),
            Self::NotBearer => verdict("exchange.not_bearer", Fault::Provider, Remedy::AskProvider),
            Self::NotBound => verdict("exchange.not_bound", Fault::Provider, Remedy::AskProvider),
            Self::Unsigned => verdict("exchange.unsigned", Fault::Application, Remedy::RetryLater),
            Self::MissingIdToken => {
                verdict("exchange.missing_id_token", Fault::Provider, Remedy::AskProvider)
            }
            Self::NoRefreshToken => verdict(
                "exchange.no_refresh_token",
                Fault::Application,
                Remedy::SignInAgain,
            ),
            Self::Resource => verdict("exchange.resource", Fault::Application, Remedy::FixApplication),
        }
    }
}

impl From<Failure> for ExchangeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(error) => Self::Unreachable(error),
            Failure::Unavailable(status) => Self::Unavailable { status },
            Failure::Malformed => Self::Malformed,
            Failure::Unsigned => Self::Unsigned,
            Failure::Refused(error) => match error.code() {
                "invalid_grant" => Self::InvalidGrant,
                "invalid_client" => Self::InvalidClient,
                _ => Self::Refused(error),
            },
        }
    }
}
