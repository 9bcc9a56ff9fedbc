//! What every request passes before a handler sees it, and every answer on its way out.
//!
//! One plain function around the routes: as layers of the router, each would be a boxed service cloned and a boxed
//! future made for every request, whichever route it goes to.

use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{self, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::Full;

use super::request::client_address;
use super::respond;
use crate::api::Instead;
use crate::app::Companion;
use crate::http::client_ip::ClientAddress;
use crate::http::csrf::{self, Origin};
use crate::http::headers::Guards;
use crate::http::server::{Answers, by_route};
use crate::metrics::{Place, Reason};
use crate::secrets::random_id;
use crate::views::Wait;
use crate::views::error::Kind;

/// When to come back after a request that was given up.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

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
    /// What everybody asks for, and nothing is done for, has the shortest way. It carries the headers that every answer
    /// carries already.
    fn at_once<B>(&self, request: &http::Request<B>) -> Option<http::Response<Full<Bytes>>> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let Companion { provider, host, .. } = &*self.companion;
        if provider.is_authorization(method, uri.path()) {
            let answer = || provider.authorize_at_once(uri, headers);
            // What panics here does so in `answer` too, which makes a page of it.
            let answer = || panic::catch_unwind(AssertUnwindSafe(answer)).ok().flatten();
            return host.admits(uri, headers).then(answer).flatten();
        }
        let document = provider.published(method, uri.path(), headers)?;
        host.admits(uri, headers).then_some(document)
    }

    async fn answer(self, request: Request, peer: SocketAddr) -> Response {
        let Self {
            companion,
            guards,
            routes,
        } = self;
        let of_api = is_of_api(request.uri().path());
        let mut response = match refused(&companion, &request, peer) {
            Some(refusal) => refusal,
            None => caught(&companion, of_api, answered(&companion, routes, request, peer)).await,
        };
        guards.put_on(response.headers_mut());
        response
    }
}

/// Refuses what is addressed to another name (421) and form posts of other sites (403).
fn refused(companion: &Companion, request: &Request, peer: SocketAddr) -> Option<Response> {
    let (method, path) = (request.method(), request.uri().path());
    if !companion.host.admits(request.uri(), request.headers()) {
        return Some(match is_of_api(path) {
            true => Instead::OtherHost.told(companion),
            false => companion.error_page(Kind::OtherHost, None),
        });
    }
    if csrf::check(method, path, request.headers(), &companion.public_url) == Origin::Foreign {
        let address = client_address(companion, peer, request.headers());
        companion.note_refusal(Place::Form, Reason::OtherSite, address);
        tracing::info!(path, "a form post from another site was refused");
        return Some(match is_of_api(path) {
            true => Instead::OtherOrigin.told(companion),
            false => companion.error_page(Kind::OtherOrigin, None),
        });
    }
    None
}

/// Whether a program reads the answer, and no person.
fn is_of_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

async fn answered(companion: &Companion, routes: Router, mut request: Request, peer: SocketAddr) -> Response {
    let address = client_address(companion, peer, request.headers());
    if companion
        .provider
        .is_authorization(request.method(), request.uri().path())
    {
        // The one request of an app's that anybody may send before anything is known of them: no router, no boxes.
        let answer = companion
            .provider
            .authorize(request.uri(), request.headers(), address);
        return in_time(companion, request.uri(), answer).await;
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(ClientAddress(address));
    let uri = request.uri().clone();
    // Boxed, or its size would be moved about with every request that takes a shorter way.
    in_time(companion, &uri, Box::pin(by_route(routes, request))).await
}

/// Gives a request up that takes too long, whether it is the client that dawdles or we that do: 503, come again.
///
/// No `async fn`, nor is [`caught`]: one would keep room for what it awaits twice.
fn in_time<'a>(
    companion: &'a Companion,
    uri: &'a Uri,
    answer: impl Future<Output = Response> + 'a,
) -> impl Future<Output = Response> + 'a {
    let limit = companion.config.server.request_timeout.into();
    tokio::time::timeout(limit, answer)
        .map(move |answer| answer.unwrap_or_else(|_| given_up(companion, uri.path())))
}

fn given_up(companion: &Companion, path: &str) -> Response {
    let event_id = random_id(companion.random.as_ref());
    tracing::warn!(event_id, path, "a request took too long and was given up");
    if is_of_api(path) {
        return Instead::GivenUp(COME_BACK_AFTER).told(companion);
    }
    let wait = Wait::at_least_a_second(COME_BACK_AFTER);
    companion.error_page(
        Kind::Unavailable {
            event_id: &event_id,
            wait,
        },
        None,
    )
}

/// Turns a panic into an error page. What the handler held is dropped by its unwinding; what is shared is behind
/// locks that bear it.
fn caught(
    companion: &Companion,
    of_api: bool,
    answer: impl Future<Output = Response>,
) -> impl Future<Output = Response> {
    AssertUnwindSafe(answer).catch_unwind().map(move |answer| {
        answer.unwrap_or_else(|panic| {
            let why = respond::panic_text(panic.as_ref());
            match of_api {
                true => Instead::Failed(&why).told(companion),
                false => companion.failure(&why),
            }
        })
    })
}
