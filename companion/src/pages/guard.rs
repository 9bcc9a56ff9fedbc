//! What every request passes before a handler sees it, and every answer on its way out.
//!
//! One plain function around the routes: as layers of the router, each would be a boxed service cloned and a boxed
//! future made for every request, whichever route it goes to.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::FutureExt as _;

use super::request::address_of;
use super::respond;
use crate::app::Companion;
use crate::http::client_ip::ClientAddress;
use crate::http::csrf::{self, Origin};
use crate::http::headers::Guards;
use crate::http::server::{Answers, by_route};
use crate::secrets::random_id;
use crate::views::Wait;
use crate::views::error::Kind;

/// The routes of the companion's public address, with the guard around them.
#[derive(Clone, Debug)]
pub struct Guarded {
    companion: Arc<Companion>,
    guards: Arc<Guards>,
    routes: Router,
}

impl Guarded {
    pub(super) fn new(companion: Arc<Companion>, routes: Router) -> Self {
        Self {
            guards: Arc::new(Guards::new(&companion.public_url)),
            companion,
            routes,
        }
    }
}

impl Answers for Guarded {
    async fn answer(self, request: Request, peer: SocketAddr) -> Response {
        let Self {
            companion,
            guards,
            routes,
        } = self;
        let mut response = match refused(&companion, &request) {
            Some(refusal) => refusal,
            None => caught(&companion, answered(&companion, routes, request, peer)).await,
        };
        guards.put_on(response.headers_mut());
        response
    }
}

/// Refuses what is addressed to another name (421) and form posts of other sites (403).
fn refused(companion: &Companion, request: &Request) -> Option<Response> {
    if !companion.host.admits(request.uri(), request.headers()) {
        return Some(companion.error_page(Kind::OtherHost, None));
    }
    let (method, path) = (request.method(), request.uri().path());
    if csrf::check(method, path, request.headers(), &companion.public_url) == Origin::Foreign {
        tracing::info!(path, "a form post from another site was refused");
        return Some(companion.error_page(Kind::OtherOrigin, None));
    }
    None
}

async fn answered(companion: &Companion, routes: Router, mut request: Request, peer: SocketAddr) -> Response {
    // What everybody asks for, and nothing is done for, has the shortest way.
    let (method, path) = (request.method(), request.uri().path());
    if let Some(document) = companion
        .provider
        .published(method, path, request.headers())
        .await
    {
        return document;
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    let address = address_of(companion, request.extensions(), request.headers());
    request.extensions_mut().insert(ClientAddress(address));
    in_time(companion, routes, request).await
}

/// Gives a request up that takes too long, whether it is the client that dawdles or we that do: 503, come again.
async fn in_time(companion: &Companion, routes: Router, request: Request) -> Response {
    let limit = companion.config.server.request_timeout.into();
    let path = request.uri().path().to_owned();
    match tokio::time::timeout(limit, by_route(routes, request)).await {
        Ok(response) => response,
        Err(_) => {
            let event_id = random_id(companion.random.as_ref());
            tracing::warn!(event_id, path, "a request took too long and was given up");
            let wait = Wait::at_least_a_second(Duration::from_secs(5));
            companion.error_page(
                Kind::Unavailable {
                    event_id: &event_id,
                    wait,
                },
                None,
            )
        }
    }
}

/// Turns a panic into an error page. What the handler held is dropped by its unwinding; what is shared is behind
/// locks that bear it.
async fn caught(companion: &Companion, answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => companion.failure(&respond::panic_text(panic.as_ref())),
    }
}
