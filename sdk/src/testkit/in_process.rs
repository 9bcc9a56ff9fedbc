//! A service of tower as what a test talks to.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower_service::Service;

use crate::transport::{HttpTransport, TransportError, TransportFuture};

/// A service of tower, such as a router of axum, without a network: for [`TestProvider::browser`](super::TestProvider::browser) and
/// [`TestProvider::sign_out_everywhere`](super::TestProvider::sign_out_everywhere). Features `testkit` and `tower`.
pub fn in_process<S, R>(service: S) -> Arc<dyn HttpTransport>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Arc::new(InProcess(service))
}

struct InProcess<S>(S);

impl<S, R> HttpTransport for InProcess<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context))
                .await
                .map_err(failed)?;
            let answer = service.call(request.map(Full::new)).await.map_err(failed)?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(failed)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        })
    }
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::other(std::io::Error::other(cause))
}
