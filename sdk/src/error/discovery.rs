use std::fmt;

use super::{Fault, Remedy, Verdict, verdict};
use crate::transport::TransportError;

/// Which of the provider's two public documents is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Document {
    /// The metadata at `/.well-known/openid-configuration`.
    Metadata,
    /// The JSON Web Key Set at `jwks_uri`.
    Keys,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "discovery document",
            Self::Keys => "key set",
        })
    }
}

/// Why the provider's metadata or keys could not be had. The client tries again by itself, at the next call
/// after a short pause.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// No response came.
    #[error("the {document} could not be fetched: {cause}")]
    Unreachable {
        /// Which document.
        document: Document,
        /// What the transport said.
        #[source]
        cause: TransportError,
    },
    /// The provider answered with an error.
    #[error("the {document} was answered with status {status}")]
    Status {
        /// Which document.
        document: Document,
        /// The HTTP status.
        status: u16,
    },
    /// The response is not the JSON it should be.
    #[error("the {document} is not valid")]
    Malformed {
        /// Which document.
        document: Document,
    },
    /// The document names another issuer than the one configured (OpenID Connect Discovery section 4.3).
    #[error("the discovery document names another issuer than the one configured")]
    ForeignIssuer,
    /// An endpoint is not https.
    #[error("the discovery document's `{endpoint}` is not an https URL")]
    InsecureEndpoint {
        /// The metadata's member.
        endpoint: &'static str,
    },
    /// The provider lists its PKCE methods, and S256 is not among them (RFC 7636).
    #[error("the provider does not support PKCE with S256")]
    NoS256,
    /// The key set has more keys than a provider has use for.
    #[error("the key set has more than {limit} keys")]
    TooManyKeys {
        /// The most that are accepted.
        limit: usize,
    },
    /// The key set has no key that can check a signature.
    #[error("the key set has no key that can check a signature")]
    NoUsableKey,
}

impl DiscoveryError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable {
                cause: TransportError::TooLarge { .. },
                ..
            } => verdict("discovery.too_large", Fault::Provider, Remedy::AskProvider),
            Self::Unreachable {
                cause: TransportError::Insecure,
                ..
            } => verdict("discovery.insecure", Fault::Application, Remedy::FixApplication),
            Self::Unreachable { .. } => verdict("discovery.unreachable", Fault::Network, Remedy::RetryLater),
            Self::Status {
                status: 500..=599 | 429,
                ..
            } => verdict("discovery.status", Fault::Provider, Remedy::RetryLater),
            Self::Status { .. } => verdict("discovery.status", Fault::Application, Remedy::FixApplication),
            Self::Malformed { .. } => verdict("discovery.malformed", Fault::Provider, Remedy::AskProvider),
            Self::ForeignIssuer => verdict(
                "discovery.foreign_issuer",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::InsecureEndpoint { .. } => verdict(
                "discovery.insecure_endpoint",
                Fault::Provider,
                Remedy::AskProvider,
            ),
            Self::NoS256 => verdict("discovery.no_s256", Fault::Provider, Remedy::AskProvider),
            Self::TooManyKeys { .. } => {
                verdict("discovery.too_many_keys", Fault::Provider, Remedy::AskProvider)
            }
            Self::NoUsableKey => verdict("discovery.no_usable_key", Fault::Provider, Remedy::AskProvider),
        }
    }
}
