//! The authorization endpoint (RFC 6749 3.1, OIDC Core 3.1.2): one file per check, laid out in the table of `checked`.
//!
//! Until the app and its redirect URI are known for sure, an error is a page; from then on it is told to the app.

mod answer;
mod characters;
mod client;
mod complete;
mod consent;
pub mod first_screen;
mod id_token_hint;
mod identifiers;
mod max_age;
mod pkce;
pub mod prompt;
mod redirect_uri;
mod repeated;
mod request_object;
mod resource;
pub(super) mod response_mode;
mod response_type;
mod scope;
mod session;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use keyback_core::time::Timestamp;

use super::error::{ErrorCode, ProtocolError};
use super::interaction::AuthorizationRequest;
use super::keys::KeyRing;
use super::pages::{ErrorKind, ErrorPage, Visitor};
use super::params::{MOST_QUERY_BYTES, Params};
use super::registry::{App, Registry};
use super::{FOR_APP, Inner, Provider, see_other};
use crate::oidc::RESET_CLIENT_ID;

pub(super) use answer::append as append_to_uri;
pub(super) use complete::complete;
pub use complete::{Completed, Completion};
pub use session::Unfit;

/// What a check looks at.
struct Asked<'a> {
    params: &'a Params,
    app: &'a App,
    registry: &'a Registry,
    issuer: &'a str,
    /// The keys, read only where a hint is to be checked.
    ring: Option<Arc<KeyRing>>,
}

/// The checks in the order they run; the first that refuses decides the answer. Each is a file of this folder.
///
/// | check            | what it asks                                        | by                           |
/// |------------------|-----------------------------------------------------|------------------------------|
/// | `client`         | an app we know (before, else a page)                | RFC 6749 4.1.2.1             |
/// | `redirect_uri`   | registered, as text (before, else a page)           | RFC 9700 2.1                 |
/// | `repeated`       | no parameter twice                                  | RFC 6749 3.1                 |
/// | `characters`     | no control character                                |                              |
/// | `request_object` | none, by value or by reference                      | OIDC Core 6                  |
/// | `response_type`  | `code`                                              | RFC 9700 2.1.2               |
/// | `response_mode`  | `query`                                             | Multiple Response Types 2.1  |
/// | `scope`          | something that can be granted                       | RFC 6749 3.3, OIDC Core 5.4  |
/// | `consent`        | an app of one's own                                 | OIDC Core 3.1.2.4            |
/// | `pkce`           | S256, from whoever has no secret                    | RFC 7636 4.3, RFC 9700 2.1.1 |
/// | `resource`       | APIs the app may call                               | RFC 8707 2                   |
/// | `prompt`         | known values, `none` alone                          | OIDC Core 3.1.2.1            |
/// | `max_age`        | a number                                            | OIDC Core 3.1.2.1            |
/// | `id_token_hint`  | an ID token of ours for this app                    | OIDC Core 3.1.2.1            |
/// | `first_screen`   | a known spelling                                    | Logto                        |
/// | `identifiers`    | nothing: unknown kinds are left out                 | Logto                        |
/// | `session`        | (after) the right person, signed in recently enough | OIDC Core 3.1.2.3            |
fn checked(asked: &Asked<'_>, redirect_uri: &str) -> Result<AuthorizationRequest, ProtocolError> {
    repeated::check(asked)?;
    characters::check(asked)?;
    request_object::check(asked)?;
    response_type::check(asked)?;
    response_mode::check(asked)?;
    let scopes = scope::check(asked)?;
    consent::check(asked)?;
    let sent = |name| asked.params.one(name).map(str::to_owned);
    Ok(AuthorizationRequest {
        code_challenge: pkce::check(asked)?,
        resources: resource::check(asked)?,
        prompt: prompt::check(asked)?,
        max_age: max_age::check(asked)?,
        subject: id_token_hint::check(asked)?,
        first_screen: first_screen::check(asked)?,
        identifiers: identifiers::check(asked),
        client_id: asked.app.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: sent("state"),
        nonce: sent("nonce"),
        login_hint: sent("login_hint"),
        ui_locales: sent("ui_locales"),
        for_app: sent(FOR_APP).filter(|_| asked.app.client_id == RESET_CLIENT_ID),
    })
}

pub(super) async fn get(State(provider): State<Provider>, request: Request) -> Response {
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
        Ok(params) => handle(inner, request.headers(), &params).await,
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
pub(super) async fn post(State(provider): State<Provider>, request: Request) -> Response {
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

async fn handle(inner: &Inner, headers: &HeaderMap, params: &Params) -> Response {
    let page =
        |status, kind, detail: &str| inner.refuse(headers, params.one("ui_locales"), status, kind, detail);
    let app = match client::check(inner, params).await {
        Ok(app) => app,
        Err(refusal) => return page(refusal.status, refusal.kind, refusal.detail),
    };
    let redirect_uri = match redirect_uri::check(&app, params) {
        Ok(redirect_uri) => redirect_uri,
        Err(refusal) => return page(refusal.status, refusal.kind, refusal.detail),
    };
    match decide(inner, headers, params, &app, redirect_uri).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(client_id = app.client_id, %error, "authorization request refused");
            see_other(&answer::error(
                &inner.issuer,
                redirect_uri,
                answer::state_of(params),
                &error,
            ))
        }
    }
}

async fn decide(
    inner: &Inner,
    headers: &HeaderMap,
    params: &Params,
    app: &App,
    redirect_uri: &str,
) -> Result<Response, ProtocolError> {
    let now = inner.clock.now();
    let ring = match params.one("id_token_hint") {
        Some(_) => Some(inner.keys.ring(now).await),
        None => None,
    };
    let asked = Asked {
        params,
        app,
        registry: &inner.registry,
        issuer: &inner.issuer,
        ring,
    };
    let request = checked(&asked, redirect_uri)?;
    let unfit = match inner.sessions().current(headers, now).await? {
        None => Unfit::NobodySignedIn,
        Some((current, _)) => match session::check(&request, None, &current, now) {
            Err(unfit) => unfit,
            Ok(()) => match complete::issue(inner, &request, &current, now).await? {
                Some(location) => return Ok(see_other(&location)),
                None => Unfit::NobodySignedIn,
            },
        },
    };
    if request.prompt.is_silent() {
        return Err(ProtocolError::new(ErrorCode::LoginRequired, unfit.description()));
    }
    ask_the_person(inner, headers, request, now).await
}

async fn ask_the_person(
    inner: &Inner,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    now: Timestamp,
) -> Result<Response, ProtocolError> {
    let (interaction, cookies) = inner.begin_interaction(headers, request, now).await?;
    let page = if interaction.request.first_screen.is_reset() && inner.reset_available {
        "/forgot-password"
    } else {
        "/sign-in"
    };
    let mut response = see_other(&format!("{page}?i={}", interaction.id));
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// An error that is shown as a page, because where the app is isn't known for sure.
struct Refusal {
    status: StatusCode,
    kind: ErrorKind,
    detail: &'static str,
}

impl Refusal {
    fn new(kind: ErrorKind, detail: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind,
            detail,
        }
    }
}

impl Inner {
    pub(super) fn refuse(
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
        response.headers_mut().extend(super::no_store());
        response
    }
}
