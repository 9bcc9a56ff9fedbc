//! The default transport: reqwest with limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use url::Url;

use super::{BODY_LIMIT, HttpTransport, TransportCause, TransportError, TransportFuture};
use crate::secure_url::is_secure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends with reqwest: 3 s to connect, 10 s in all, no redirects, https only except to loopback addresses,
/// and no more than 512 KiB read.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// Builds the transport. No connection is made.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up, for instance without any trusted root certificates.
    pub fn new() -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("keyback/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(translate)?;
        Ok(Self { client })
    }
}

impl HttpTransport for ReqwestTransport {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let secure = Url::parse(&request.uri().to_string()).is_ok_and(|url| is_secure(&url));
            if !secure {
                return Err(TransportError::Insecure);
            }
            let request = reqwest::Request::try_from(request).map_err(translate)?;
            let mut response = self.client.execute(request).await.map_err(translate)?;

            let mut head = http::Response::builder().status(response.status());
            if let Some(headers) = head.headers_mut() {
                *headers = std::mem::take(response.headers_mut());
            }
            // Read in pieces: the announced length may lie.
            let mut body = BytesMut::new();
            while let Some(piece) = response.chunk().await.map_err(translate)? {
                if body.len() + piece.len() > BODY_LIMIT {
                    return Err(TransportError::TooLarge { limit: BODY_LIMIT });
                }
                body.extend_from_slice(&piece);
            }
            head.body(body.freeze()).map_err(TransportError::other)
        })
    }
}

fn translate(error: reqwest::Error) -> TransportError {
    // reqwest prints the URL otherwise, which may hold a code or a token.
    let error = error.without_url();
    let (is_timeout, is_connect) = (error.is_timeout(), error.is_connect());
    let cause = TransportCause::new(error);
    if is_timeout {
        TransportError::Timeout(cause)
    } else if is_connect {
        TransportError::Connect(cause)
    } else {
        TransportError::Other(cause)
    }
}
