//! The endpoint itself: reads the request, has it checked, and answers it with the session, or asks the person.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
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
use super::{Channel, Refusal, check, client, pushed, redirect_uri};
use crate::http::client_ip::address_of;

pub(in crate::oidc) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let query = request.uri().query().unwrap_or_default();
    if query.len() > MOST_QUERY_BYTES {
        let detail = "The sign-in request is too long. The app that sent you here must send a shorter one.";
        return inner.refuse(
            request.headers(),
            None,
            StatusCode::URI_TOO_LONG,
            ErrorKind::BadRequest,
            detail,
        );
    }
    match Params::parse(query.as_bytes()) {
        Ok(params) => {
            let asker = Asker {
                headers: request.headers(),
                address: address_of(request.extensions()),
                channel: Channel::Browser,
            };
            handle(inner, asker, &params).await
        }
        Err(_) => {
            let detail = "The sign-in request can't be read: it holds bytes that are no text.";
            inner.refuse(
                request.headers(),
                None,
                StatusCode::BAD_REQUEST,
                ErrorKind::BadRequest,
                detail,
            )
        }
    }
}

/// A form may come from any site (OIDC Core 3.1.2.1). Browsers hold back `Lax` cookies from a foreign POST, so it
/// is sent to the GET, where they are (SR-80: by 303).
pub(in crate::oidc) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let (parts, body) = request.into_parts();
    let params = match Params::of_body(&parts.headers, body).await {
        Ok(params) => params,
        Err(error) => {
            let detail = error.description();
            return inner.refuse(
                &parts.headers,
                None,
                StatusCode::BAD_REQUEST,
                ErrorKind::BadRequest,
                detail,
            );
        }
    };
    let query = params.to_query();
    if query.len() > MOST_QUERY_BYTES {
        let detail = "The sign-in request is too long. The app that sent you here must send a shorter one.";
        return inner.refuse(
            &parts.headers,
            None,
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::BadRequest,
            detail,
        );
    }
    see_other(&format!("{}/auth?{query}", inner.issuer))
}

async fn handle(inner: &Inner, asker: Asker<'_>, params: &Params) -> Response {
    let headers = asker.headers;
    let ui_locales = params.one("ui_locales");
    let page =
        |refusal: Refusal| inner.refuse(headers, ui_locales, refusal.status, refusal.kind, refusal.detail);
    let app = match client::check(inner, params).await {
        Ok(app) => app,
        Err(refusal) => return page(refusal),
    };
    let now = inner.clock.now();
    // RFC 9126 4: a pushed request is the whole request; nothing beside its reference counts.
    match pushed::take(inner, params, &app, now).await {
        Ok(Some(request)) => {
            let channel = Channel::Pushed;
            let outcome = respond(inner, Asker { channel, ..asker }, &app, &request, now).await;
            return conclude(
                inner,
                headers,
                request.ui_locales.as_deref(),
                ReturnTo::of(&request),
                outcome,
            );
        }
        Ok(None) => {}
        Err(refusal) => return page(refusal),
    }
    let redirect_uri = match redirect_uri::check(&app, params) {
        Ok(redirect_uri) => redirect_uri,
        Err(refusal) => return page(refusal),
    };
    let outcome = match check(inner, params, &app, redirect_uri, Channel::Browser, now).await {
        Ok(request) => respond(inner, asker, &app, &request, now).await,
        Err(error) => Err(error),
    };
    conclude(
        inner,
        headers,
        ui_locales,
        ReturnTo::asked(redirect_uri, params),
        outcome,
    )
}

/// From here on the app is told what went wrong.
fn conclude(
    inner: &Inner,
    headers: &HeaderMap,
    ui_locales: Option<&str>,
    return_to: ReturnTo<'_>,
    outcome: Result<Response, ProtocolError>,
) -> Response {
    outcome.unwrap_or_else(|error| {
        tracing::debug!(%error, "authorization request refused");
        inner.deliver(headers, ui_locales, &return_to.error(&inner.issuer, &error))
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
        Some((current, _)) => complete::settle(inner, app, request, None, &current, None, now).await?,
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
        Settled::SignIn(_) if request.first_screen.is_reset() && inner.reset_available => "/forgot-password",
        Settled::SignIn(_) => "/sign-in",
    };
    ask_the_person(inner, asker, request.clone(), page, now).await
}

async fn ask_the_person(
    inner: &Inner,
    asker: Asker<'_>,
    request: AuthorizationRequest,
    page: &str,
    now: Timestamp,
) -> Result<Response, ProtocolError> {
    let (interaction, cookies) = inner.begin_interaction(asker, request, now).await?;
    let mut response = see_other(&format!("{page}?i={}", interaction.id));
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
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
