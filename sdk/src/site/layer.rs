//! A site as a layer of tower, over any service of `http` types.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
#[cfg(feature = "axum")]
use http::Uri;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use tower_layer::Layer;
use tower_service::Service;

use super::Site;
use super::pages::{Answer, empty};
use crate::layered::{Answering, take_ready};

/// The largest body of the site's own routes: webhooks hold an account.
const LARGEST: usize = 512 * 1024;

/// What the browser asked for. Routers that are nested take the front of the path away.
#[cfg(feature = "axum")]
#[derive(Clone)]
pub(super) struct Wanted(pub(super) Uri);

impl<S> Layer<S> for Site {
    type Service = SiteService<S>;

    fn layer(&self, inner: S) -> SiteService<S> {
        SiteService {
            site: self.clone(),
            inner,
        }
    }
}

/// A service behind a [`Site`]: the site's own routes are answered by it, all others find a [`Visit`](super::Visit) among
/// the request's extensions.
#[derive(Clone)]
pub struct SiteService<S> {
    site: Site,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for SiteService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let site = self.site.clone();
        if site.route(request.uri().path()).is_some() {
            return Box::pin(async move { Ok(own(&site, request).await.map(R::from)) });
        }
        let mut inner = take_ready(&mut self.inner);
        Box::pin(async move {
            let visit = site.visit(request.headers());
            request.extensions_mut().insert(visit.clone());
            #[cfg(feature = "axum")]
            {
                let wanted = Wanted(request.uri().clone());
                request.extensions_mut().insert(wanted);
            }
            let mut answer = inner.call(request).await?;
            visit.finish(answer.headers_mut());
            Ok(answer)
        })
    }
}

async fn own<B>(site: &Site, request: Request<B>) -> Answer
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    match Limited::new(body, LARGEST).collect().await {
        Ok(body) => {
            let request = Request::from_parts(head, body.to_bytes());
            match site.answer(&request).await {
                Some(answer) => answer,
                None => empty(StatusCode::NOT_FOUND),
            }
        }
        Err(_) => empty(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

impl<S> fmt::Debug for SiteService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteService")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}
