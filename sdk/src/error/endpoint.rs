use std::fmt;

use super::{Fault, ProviderError, Remedy, Verdict, verdict};
use crate::client::endpoint::Failure;
use crate::transport::TransportError;

/// Which of the provider's endpoints beside the token endpoint is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// Where authorization requests are pushed to (RFC 9126).
    PushedRequest,
    /// Where tokens are revoked (RFC 7009).
    Revocation,
    /// Where a device begins (RFC 8628).
    DeviceAuthorization,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PushedRequest => "endpoint for pushed requests",
            Self::Revocation => "revocation endpoint",
            Self::DeviceAuthorization => "endpoint for devices",
        })
    }
}

/// Why an endpoint where the client proves who it is did not do what it was asked. For the token endpoint there is
/// [`ExchangeError`](crate::ExchangeError).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The provider has no such endpoint.
    #[error("the provider has no {endpoint}")]
    NotOffered {
        /// Which endpoint.
        endpoint: Endpoint,
    },
    /// No response came.
    #[error("the {endpoint} could not be reached: {cause}")]
    Unreachable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What the transport said.
        #[source]
        cause: TransportError,
    },
    /// The provider is overloaded or broken.
    #[error("the {endpoint} answered with status {status}")]
    Unavailable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// The HTTP status.
        status: u16,
    },
    /// The client could not prove who it is (RFC 6749 section 5.2).
    #[error(
        "the {endpoint} does not accept the client id, or its secret or key (invalid_client): compare both with the provider's"
    )]
    InvalidClient {
        /// Which endpoint.
        endpoint: Endpoint,
    },
    /// Any other refusal of the provider.
    #[error("the {endpoint} refused: {error}")]
    Refused {
        /// Which endpoint.
        endpoint: Endpoint,
        /// The provider's own error.
        error: ProviderError,
    },
    /// The response is not what the endpoint's specification asks for.
    #[error("the answer of the {endpoint} is not valid")]
    Malformed {
        /// Which endpoint.
        endpoint: Endpoint,
    },
    /// What proves who the client is could not be signed.
    #[error("the request to the {endpoint} could not be signed")]
    Unsigned {
        /// Which endpoint.
        endpoint: Endpoint,
    },
}

impl EndpointError {
    pub(crate) fn new(endpoint: Endpoint, failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(cause) => Self::Unreachable { endpoint, cause },
            Failure::Unavailable(status) => Self::Unavailable { endpoint, status },
            Failure::Malformed => Self::Malformed { endpoint },
            Failure::Unsigned => Self::Unsigned { endpoint },
            Failure::Refused(error) if error.code() == "invalid_client" => Self::InvalidClient { endpoint },
            Failure::Refused(error) => Self::Refused { endpoint, error },
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        use Fault::{Application, Network, Provider};
        use Remedy::{AskProvider, FixApplication, RetryLater};
        match self {
            Self::NotOffered { .. } => verdict("endpoint.not_offered", Provider, AskProvider),
            Self::Unreachable {
                cause: TransportError::TooLarge { .. },
                ..
            } => verdict("endpoint.too_large", Provider, AskProvider),
            Self::Unreachable {
                cause: TransportError::Insecure,
                ..
            } => verdict("endpoint.insecure", Application, FixApplication),
            Self::Unreachable { .. } => verdict("endpoint.unreachable", Network, RetryLater),
            Self::Unavailable { .. } => verdict("endpoint.unavailable", Provider, RetryLater),
            Self::InvalidClient { .. } => verdict("endpoint.invalid_client", Application, FixApplication),
            Self::Refused { .. } => verdict("endpoint.refused", Application, FixApplication),
            Self::Malformed { .. } => verdict("endpoint.malformed", Provider, AskProvider),
            Self::Unsigned { .. } => verdict("endpoint.unsigned", Application, RetryLater),
        }
    }
}
