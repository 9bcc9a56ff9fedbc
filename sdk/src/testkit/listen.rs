//! The same provider on a loopback port.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::{Misbehaviour, TestProvider, TestkitError};
use crate::clock::Clock as _;
use crate::clock::SystemClock;

const LARGEST_REQUEST: usize = 64 * 1024;

impl TestProvider {
    /// A provider that listens on a loopback port of its own, for as long as tokio's run time lives. Its clock stands at the
    /// system's time, and its issuer is the port's address. A browser that comes to it is signed in at once:
    /// [`browser_is`](Self::browser_is) says as whom.
    ///
    /// # Errors
    ///
    /// [`TestkitError::Listen`] when no port can be opened.
    pub async fn listen() -> Result<Self, TestkitError> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(|_| TestkitError::Listen)?;
        let address = listener.local_addr().map_err(|_| TestkitError::Listen)?;
        let provider = Self::at(format!("http://{address}/oidc"))?;
        provider.clock().set(SystemClock.now());
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        Ok(provider)
    }

    async fn serve(self, stream: TcpStream) {
        let service = service_fn(move |request| {
            let provider = self.clone();
            async move { provider.respond(request).await }
        });
        // A browser that goes away, or a provider that hangs up on purpose, is no news.
        let _ended = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn respond(
        &self,
        request: hyper::Request<Incoming>,
    ) -> Result<hyper::Response<Full<Bytes>>, HangUp> {
        for how in self.told() {
            match how {
                Misbehaviour::Down => return Err(HangUp),
                Misbehaviour::Slow(time) => tokio::time::sleep(time).await,
                _ => {}
            }
        }
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LARGEST_REQUEST).collect().await;
        let body = body.map_err(|_| HangUp)?.to_bytes();
        let answer = self.answer(&http::Request::from_parts(head, body));
        Ok(answer.map(Full::new))
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the test provider hangs up")]
struct HangUp;
