//! The endpoint itself: reads the request, has it checked, and answers it with the session, or asks the person.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{self, HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::Full;
use keyback_core::time::Timestamp;

use super::super::error::{ErrorCode, ProtocolError};
use super::super::interaction::{Asker, AuthorizationRequest};
use super::super::pages::{ErrorKind, ErrorPage, Visitor};
use super::super::params::{MOST_QUERY_BYTES, Params};
use super::super::registry::App;
use super::super::{Inner, Provider, no_store, see_other};
use super::answer::ReturnTo;
use super::complete::{self, Settled};
use super::session::Unfit;
use super::{Asked, Channel, Refusal, check, checked, client, pushed, redirect_uri};
use crate::http::client_ip::address_of;

/// Where it is.
pub(in crate::oidc) const PATH: &str = "/oidc/auth";

const TOO_LONG: &str = "The sign-in request is too long. The app that sent you here must send a shorter one.";

pub(in crate::oidc) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    let address = address_of(request.extensions());
    answer(&provider.0, request.uri(), request.headers(), address).await
}

/// Answers a request that a browser brings in its address.
pub(in crate::oidc) async fn answer(
    inner: &Inner,
    uri: &Uri,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let unread = |status, detail| inner.refuse(headers, None, status, ErrorKind::BadRequest, detail);
    if query.len() > MOST_QUERY_BYTES {
        return unread(StatusCode::URI_TOO_LONG, TOO_LONG);
    }
    // Boxed, or the future of every answer would have room for them.
    let Ok(params) = Params::parse(query.as_bytes()).map(Box::new) else {
        let detail = "The sign-in request can't be read: it holds bytes that are no text.";
        return unread(StatusCode::BAD_REQUEST, detail);
    };
    let asker = Asker {
        headers,
        address,
        channel: Channel::Browser,
    };
    handle(inner, asker, &params).await
}

/// The answer to a request of an app that is at hand, by a browser that nobody is signed in at: the person is asked. Most
/// requests are that, and none of it needs the store, so none of it waits. Nothing where there is more to it, or where it is
/// refused: [`answer`] knows how.
pub(in crate::oidc) fn answer_at_once(
    inner: &Inner,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<http::Response<Full<Bytes>>> {
    let query = uri.query().filter(|query| query.len() <= MOST_QUERY_BYTES)?;
    if inner.sessions().is_claimed(headers) {
        return None;
    }
    let params = Params::parse(query.as_bytes()).ok()?;
    if pushed::reference(&params).is_some() || params.one("id_token_hint").is_some() {
        return None;
    }
    let now = inner.clock.now();
    let app = &*client::at_hand(inner, &params, now)?;
    let redirect_uri = redirect_uri::check(app, &params).ok()?;
    let request = checked(&Asked {
        params: &params,
        app,
        redirect_uri,
        channel: Channel::Browser,
        registry: &inner.registry,
        issuer: &inner.issuer,
        ring: None,
    })
    .ok()?;
    if request.prompt.is_silent() {
        return None;
    }
    let begun = inner.begin_small_interaction(headers, &request, now)?;
    inner.way_to_a_page.of(first_page(inner, &request), begun)
}

/// A form may come from any site (OIDC Core 3.1.2.1). Browsers hold back `Lax` cookies from a foreign POST, so it
/// is sent to the GET, where they are (SR-80: by 303).
pub(in crate::oidc) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let (parts, body) = request.into_parts();
    let unread =
        |status, detail: &str| inner.refuse(&parts.headers, None, status, ErrorKind::BadRequest, detail);
    let params = match Params::of_body(&parts.headers, body).await {
        Ok(params) => params,
        Err(error) => return unread(StatusCode::BAD_REQUEST, error.description()),
    };
    let query = params.to_query();
    if query.len() > MOST_QUERY_BYTES {
        return unread(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG);
    }
    see_other(&format!("{}/auth?{query}", inner.issuer))
}

async fn handle(inner: &Inner, asker: Asker<'_>, params: &Params) -> Response {
    let headers = asker.headers;
    let ui_locales = params.one("ui_locales");
    let page =
        |refusal: Refusal| inner.refuse(headers, ui_locales, refusal.status, refusal.kind, refusal.detail);
    let now = inner.clock.now();
    let app = match client::check(inner, params, now).await {
        Ok(app) => app,
        Err(refusal) => return page(refusal),
    };
    // RFC 9126 4: a pushed request is the whole request; nothing beside its reference counts.
    if let Some(reference) = pushed::reference(params) {
        return match Box::pin(handle_pushed(inner, asker, params, reference, &app, now)).await {
            Ok(response) => response,
            Err(refusal) => page(refusal),
        };
    }
    let redirect_uri = match redirect_uri::check(&app, params) {
        Ok(redirect_uri) => redirect_uri,
        Err(refusal) => return page(refusal),
    };
    let outcome = match check(inner, params, &app, redirect_uri, Channel::Browser, now).await {
        Ok(request) => respond(inner, asker, &app, &request, now).await,
        Err(error) => Err(error),
    };
    let return_to = || ReturnTo::refused(redirect_uri, params);
    conclude(inner, headers, ui_locales, return_to, outcome)
}

/// A request that its app has pushed.
async fn handle_pushed(
    inner: &Inner,
    asker: Asker<'_>,
    params: &Params,
    reference: &str,
    app: &App,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let request = pushed::take(inner, params, reference, app, now).await?;
    let channel = Channel::Pushed;
    let outcome = respond(inner, Asker { channel, ..asker }, app, &request, now).await;
    let ui_locales = request.ui_locales.as_deref();
    let return_to = || ReturnTo::of(&request);
    Ok(conclude(inner, asker.headers, ui_locales, return_to, outcome))
}

/// From here on the app is told what went wrong.
fn conclude<'a>(
    inner: &Inner,
    headers: &HeaderMap,
    ui_locales: Option<&str>,
    return_to: impl FnOnce() -> ReturnTo<'a>,
    outcome: Result<Response, ProtocolError>,
) -> Response {
    outcome.unwrap_or_else(|error| {
        tracing::debug!(%error, "authorization request refused");
        inner.deliver(headers, ui_locales, &return_to().error(&inner.issuer, &error))
    })
}

/// Answers a checked request with the session, where that does; else the person is asked, if they may be.
async fn respond(
    inner: &Inner,
    asker: Asker<'_>,
    app: &App,
    request: &AuthorizationRequest,
    now: Timestamp,
) -> Result<Response, ProtocolError> {
    let settled = match inner.sessions().current(asker.headers, now).await? {
        None => Settled::SignIn(Unfit::NobodySignedIn),
        Some((current, _)) => {
            Box::pin(complete::settle(inner, app, request, None, &current, None, now)).await?
        }
    };
    let refused = |code, description| Err(ProtocolError::new(code, description));
    let page = match settled {
        Settled::Answered(answer) => {
            return Ok(inner.deliver(asker.headers, request.ui_locales.as_deref(), &answer));
        }
        Settled::SignIn(unfit) if request.prompt.is_silent() => {
            return refused(ErrorCode::LoginRequired, unfit.description());
        }
        Settled::Consent(_) if request.prompt.is_silent() => {
            return refused(
                ErrorCode::ConsentRequired,
                "The person has not allowed this app all that it asks for. Send the request without prompt=none.",
            );
        }
        Settled::Consent(_) => "/consent",
        Settled::SignIn(_) => first_page(inner, request),
    };
    ask_the_person(inner, asker, request, page, now).await
}

/// Where who is not signed in begins.
fn first_page(inner: &Inner, request: &AuthorizationRequest) -> &'static str {
    if request.one_time_token.is_some() && request.login_hint.is_some() {
        // The app has sent its mail itself: no connector of ours is needed.
        "/forgot-password/token"
    } else if request.first_screen.is_reset() && inner.reset_available {
        "/forgot-password"
    } else {
        "/sign-in"
    }
}

async fn ask_the_person(
    inner: &Inner,
    asker: Asker<'_>,
    request: &AuthorizationRequest,
    page: &str,
    now: Timestamp,
) -> Result<Response, ProtocolError> {
    let begun = inner.begin_interaction(asker, request, now).await?;
    let way = inner.way_to_a_page.of(page, begun);
    Ok(way.map_or_else(
        || StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |way| way.map(Body::new),
    ))
}

impl Inner {
    pub(in crate::oidc) fn refuse(
        &self,
        headers: &HeaderMap,
        ui_locales: Option<&str>,
        status: StatusCode,
        kind: ErrorKind,
        detail: &str,
    ) -> Response {
        let visitor = Visitor { headers, ui_locales };
        let mut response = self
            .pages
            .error(visitor, ErrorPage { status, kind, detail })
            .into_response();
        response.headers_mut().extend(no_store());
        response
    }
}
