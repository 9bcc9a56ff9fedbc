//! The same as a tower layer, for axum and any other tower service.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{AccessToken, Challenge, ResourceServer};
use crate::error::{AccessTokenError, Error};
use crate::layered::{Answering, take_ready};

/// Lets through only requests with an access token for this API, and puts the verified [`AccessToken`] into their
/// extensions. Others are answered by it, with an empty body.
///
/// ```
/// use keyback::resource_server::{RequireAccessToken, ResourceServer};
///
/// # fn layers(orders: ResourceServer) {
/// // With axum: `Router::new().route("/orders", get(list)).layer(reading)`, and a handler that takes
/// // `Extension(token): Extension<AccessToken>`.
/// let reading = RequireAccessToken::new(orders.clone()).scope("read:orders");
/// let writing = RequireAccessToken::new(orders).scope("read:orders").scope("write:orders");
/// # let _ = (reading, writing);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer protects what it is put around"]
pub struct RequireAccessToken {
    api: ResourceServer,
    scopes: Arc<Vec<String>>,
    organization: bool,
}

impl RequireAccessToken {
    /// Any access token for the API will do.
    pub fn new(api: ResourceServer) -> Self {
        Self {
            api,
            scopes: Arc::default(),
            organization: false,
        }
    }

    /// Asks for a scope. Call it once for each: all of them are needed.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.scopes).push(scope.into());
        self
    }

    /// Asks for a token that is for an organization. Which one, the handler compares:
    /// [`AccessToken::organization_id`].
    pub fn organization(mut self) -> Self {
        self.organization = true;
        self
    }

    async fn authorize(&self, headers: &http::HeaderMap) -> Result<AccessToken, Challenge> {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let token = self.api.authorize(headers, &scopes).await?;
        if self.organization && token.organization_id().is_none() {
            return Err(Challenge::new(Error::from(AccessTokenError::NoOrganization)));
        }
        Ok(token)
    }
}

impl<S> Layer<S> for RequireAccessToken {
    type Service = RequireAccessTokenService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireAccessTokenService {
            rule: self.clone(),
            inner,
        }
    }
}

/// A service behind [`RequireAccessToken`].
#[derive(Clone, Debug)]
pub struct RequireAccessTokenService<S> {
    rule: RequireAccessToken,
    inner: S,
}

impl<S, B, A> Service<Request<B>> for RequireAccessTokenService<S>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    A: Default,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Answering<Response<A>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let rule = self.rule.clone();
        Box::pin(async move {
            match rule.authorize(request.headers()).await {
                Ok(token) => {
                    request.extensions_mut().insert(token);
                    inner.call(request).await
                }
                Err(challenge) => {
                    let mut response = Response::new(A::default());
                    *response.status_mut() = challenge.status();
                    *response.headers_mut() = challenge.headers();
                    Ok(response)
                }
            }
        })
    }
}
