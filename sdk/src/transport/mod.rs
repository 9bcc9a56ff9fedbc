//! The HTTP port: how the client reaches the provider.
//!
//! [`HttpTransport`] takes and gives types of the `http` and `bytes` crates only, so that any HTTP client fits. Both
//! crates are exported by this one, in the versions meant. The default one is [`ReqwestTransport`], behind the feature `reqwest`.

mod fetch;
#[cfg(feature = "reqwest")]
mod reqwest;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "reqwest")]
use self::fetch::BODY_LIMIT;
pub(crate) use self::fetch::{Answer, form, get, send};
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;

/// What [`HttpTransport::send`] returns.
pub type TransportFuture<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends one HTTP request to the provider.
///
/// An implementation must follow no redirect (a redirected token request would hand the code to somebody
/// else), must limit time and size, and should refuse plain http except to loopback addresses.
///
/// ```
/// use keyback::bytes::Bytes;
/// use keyback::{HttpTransport, TransportFuture, http};
///
/// /// A provider in the same process needs no network.
/// struct InProcess;
///
/// impl HttpTransport for InProcess {
///     fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
///         Box::pin(async move {
///             let known = request.uri().path() == "/oidc/.well-known/openid-configuration";
///             let mut response = http::Response::new(Bytes::from_static(b"{}"));
///             if !known {
///                 *response.status_mut() = http::StatusCode::NOT_FOUND;
///             }
///             Ok(response)
///         })
///     }
/// }
/// ```
pub trait HttpTransport: Send + Sync {
    /// Sends the request and collects the whole response.
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_>;
}

/// Why no response came. Its text names neither the URL nor the body.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection could be made.
    #[error("no connection to the provider")]
    Connect(#[source] TransportCause),
    /// The provider did not answer in time.
    #[error("the provider did not answer in time")]
    Timeout(#[source] TransportCause),
    /// The response is larger than the client accepts.
    #[error("the provider's response is larger than {limit} bytes")]
    TooLarge {
        /// The most that is accepted.
        limit: usize,
    },
    /// The address is plain http to another machine.
    #[error("plain http is refused except on loopback addresses")]
    Insecure,
    /// Anything else, such as a connection that broke.
    #[error("the request to the provider failed")]
    Other(#[source] TransportCause),
}

impl TransportError {
    /// Wraps an error of the transport that fits no other variant.
    pub fn other(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(TransportCause::new(cause))
    }
}

/// The transport's own error, shared because a failed discovery is reported to everyone who waited for it.
#[derive(Clone, Debug)]
pub struct TransportCause(Arc<dyn std::error::Error + Send + Sync>);

impl TransportCause {
    /// Wraps the transport's own error.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(cause))
    }
}

impl std::fmt::Display for TransportCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TransportCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
