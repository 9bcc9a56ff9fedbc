//! What every request passes before a handler sees it, and every answer on its way out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::request::address_of;
use crate::app::Companion;
use crate::http::client_ip::ClientAddress;
use crate::http::csrf::{self, Origin};
use crate::http::headers;
use crate::secrets::random_id;
use crate::views::Wait;
use crate::views::error::Kind;

/// Refuses what is addressed to another name (421) and form posts of other sites (403).
pub(super) async fn admit(
    State(companion): State<Arc<Companion>>,
    mut request: Request,
    next: Next,
) -> Response {
    if !companion.host.admits(request.uri(), request.headers()) {
        return companion.error_page(Kind::OtherHost, None);
    }
    let (method, path) = (request.method(), request.uri().path());
    if csrf::check(method, path, request.headers(), &companion.public_url) == Origin::Foreign {
        tracing::info!(path, "a form post from another site was refused");
        return companion.error_page(Kind::OtherOrigin, None);
    }
    let address = address_of(&companion, request.extensions(), request.headers());
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

/// Gives a request up that takes too long, whether it is the client that dawdles or we that do: 503, come again.
pub(super) async fn in_time(
    State(companion): State<Arc<Companion>>,
    request: Request,
    next: Next,
) -> Response {
    let limit = companion.config.server.request_timeout.into();
    let path = request.uri().path().to_owned();
    match tokio::time::timeout(limit, next.run(request)).await {
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

/// Puts the security headers on.
pub(super) async fn secure(State(companion): State<Arc<Companion>>, mut response: Response) -> Response {
    headers::secure(response.headers_mut(), &companion.public_url);
    response
}
