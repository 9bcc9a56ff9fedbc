//! Cross-origin requests: anybody may read discovery and keys; answers to an app are read by pages of the origins of
//! its redirect URIs. Never with credentials: cookies mean nothing to these endpoints.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Provider;
use super::registry::App;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, logto-verification-id");
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

/// Which app an answer is for: told by the endpoint that finds it out, read on the answer's way out.
#[derive(Clone, Default)]
struct Caller(Arc<OnceLock<Arc<App>>>);

/// Whether anybody wants to know which app the answer is for: a page in a browser that asks across origins.
pub(super) fn is_asked(extensions: &Extensions) -> bool {
    extensions.get::<Caller>().is_some()
}

/// Tells which app the answer is for, whether it has proved to be it or only says so.
pub(super) fn tell(extensions: &Extensions, app: &Arc<App>) {
    if let Some(Caller(caller)) = extensions.get() {
        // The first word stands: a request is of one app.
        let _ = caller.set(Arc::clone(app));
    }
}

/// For answers to apps: an answer may be read by pages of the app that it is for. A preflight doesn't name the app,
/// and an error that knows of none tells nothing of any: these may be read by pages of all registered origins.
pub(super) async fn of_apps(State(provider): State<Provider>, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (response, caller) = if is_preflight(&request) {
        (StatusCode::NO_CONTENT.into_response(), None)
    } else {
        let caller = Caller::default();
        if origin.is_some() {
            request.extensions_mut().insert(caller.clone());
        }
        (next.run(request).await, caller.0.get().cloned())
    };
    let may_read = match (&origin, caller) {
        (None, _) => false,
        (Some(origin), Some(app)) => origin.to_str().is_ok_and(|origin| app.has_origin(origin)),
        (Some(origin), None) => is_known(&provider, origin).await,
    };
    let mut response = match origin.filter(|_| may_read) {
        Some(origin) => allowed(response, origin),
        None => response,
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    response
}

async fn is_known(provider: &Provider, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    match provider.0.registry.knows_origin(origin).await {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(%error, "the origins of the apps could not be looked up");
            false
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
