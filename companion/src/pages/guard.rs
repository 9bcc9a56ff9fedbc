//! What every request passes before a handler sees it, and every answer on its way out.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::Companion;
use crate::http::csrf::{self, Origin};
use crate::http::headers;
use crate::views::error::Kind;

/// Refuses what is addressed to another name (421) and form posts of other sites (403).
pub(super) async fn admit(State(companion): State<Arc<Companion>>, request: Request, next: Next) -> Response {
    if !companion.host.admits(request.uri(), request.headers()) {
        return companion.error_page(Kind::OtherHost, None);
    }
    let (method, path) = (request.method(), request.uri().path());
    if csrf::check(method, path, request.headers(), &companion.public_url) == Origin::Foreign {
        tracing::info!(path, "a form post from another site was refused");
        return companion.error_page(Kind::OtherOrigin, None);
    }
    next.run(request).await
}

/// Puts the security headers on.
pub(super) async fn secure(State(companion): State<Arc<Companion>>, mut response: Response) -> Response {
    headers::secure(response.headers_mut(), &companion.public_url);
    response
}
