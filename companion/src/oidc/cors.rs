//! Cross-origin requests: anybody may read discovery and keys; answers to apps are read by pages of the origins
//! of registered redirect URIs. Never with credentials: cookies mean nothing to these endpoints.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Provider;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const EXPOSED: HeaderValue = HeaderValue::from_static("www-authenticate, retry-after");
/// Browsers cap this at two hours (Chromium) or a day (Firefox).
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// For documents that are the same for everybody.
pub(super) async fn open(request: Request, next: Next) -> Response {
    if is_preflight(&request) {
        return allowed(
            StatusCode::NO_CONTENT.into_response(),
            HeaderValue::from_static("*"),
        );
    }
    next.run(request).await
}

/// For answers to apps.
pub(super) async fn of_apps(State(provider): State<Provider>, request: Request, next: Next) -> Response {
    let origin = known_origin(&provider, request.headers()).await;
    let response = if is_preflight(&request) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let mut response = match origin {
        Some(origin) => allowed(response, origin),
        None => response,
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    response
}

async fn known_origin(provider: &Provider, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    match provider.0.registry.knows_origin(origin.to_str().ok()?).await {
        Ok(known) => known.then(|| origin.clone()),
        Err(error) => {
            tracing::error!(%error, "the origins of the apps could not be looked up");
            None
        }
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn allowed(mut response: Response, origin: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    response
}
