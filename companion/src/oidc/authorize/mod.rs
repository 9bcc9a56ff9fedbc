//! The authorization endpoint (RFC 6749 3.1, OIDC Core 3.1.2): one file per check, laid out in the table of `checked`.
//!
//! Until the app and its redirect URI are known for sure, an error is a page; from then on it is told to the app.

mod answer;
mod channel;
mod characters;
mod claims;
mod client;
mod complete;
mod consent;
mod endpoint;
pub mod first_screen;
mod id_token_hint;
mod identifiers;
mod max_age;
mod one_time_token;
mod pkce;
pub mod prompt;
mod pushed;
mod redirect_uri;
mod repeated;
mod request_object;
mod resource;
pub mod response_mode;
mod response_type;
mod scope;
mod session;
mod way_to_a_page;

use std::sync::Arc;

use axum::http::StatusCode;
use keyback_core::time::Timestamp;

use super::error::ProtocolError;
use super::interaction::AuthorizationRequest;
use super::key_ring::KeyRing;
use super::pages::ErrorKind;
use super::params::Params;
use super::registry::{App, Registry};
use super::scope::Scopes;
use super::{FOR_APP, Inner};
use crate::oidc::RESET_CLIENT_ID;

pub use answer::Answer;
pub(super) use answer::append as append_to_uri;
pub use complete::{Completed, Completion, Denial, Prepared};
pub(super) use complete::{complete, complete_within, deny, prepare};
pub(super) use consent::Consented;
pub use consent::Yes;
pub(super) use endpoint::{PATH, answer, answer_at_once, get, post};
pub(super) use pushed::push;
pub use session::Unfit;
pub(super) use way_to_a_page::WayToAPage;

pub(in crate::oidc) use channel::Channel;

/// What a check looks at.
struct Asked<'a> {
    params: &'a Params,
    app: &'a App,
    /// One of the app's: it was checked before.
    redirect_uri: &'a str,
    channel: Channel,
    registry: &'a Registry,
    issuer: &'a str,
    /// The keys, read only where a hint is to be checked.
    ring: Option<Arc<KeyRing>>,
}

/// The checks in the order they run; the first that refuses decides the answer. Each is a file of this folder. They are
/// the same for a request that a browser brings and for one that an app pushes (`pushed`).
///
/// | check            | what it asks                                        | by                           |
/// |------------------|-----------------------------------------------------|------------------------------|
/// | `client`         | an app we know (before, else a page)                | RFC 6749 4.1.2.1             |
/// | `redirect_uri`   | registered, as text (before, else a page)           | RFC 9700 2.1                 |
/// | `repeated`       | no parameter twice                                  | RFC 6749 3.1                 |
/// | `characters`     | no control character                                |                              |
/// | `channel`        | pushed, by an app that must push                    | RFC 9126 6                   |
/// | `request_object` | none, by value or by reference                      | OIDC Core 6                  |
/// | `response_type`  | `code`                                              | RFC 9700 2.1.2               |
/// | `response_mode`  | `query` or `form_post`                              | Form Post Response Mode 1.0  |
/// | `scope`          | something that can be granted                       | RFC 6749 3.3, OIDC Core 5.4  |
/// | `pkce`           | S256, from whoever has no secret                    | RFC 7636 4.3, RFC 9700 2.1.1 |
/// | `resource`       | APIs the app may call                               | RFC 8707 2                   |
/// | `prompt`         | known values, `none` alone                          | OIDC Core 3.1.2.1            |
/// | `max_age`        | a number                                            | OIDC Core 3.1.2.1            |
/// | `claims`         | claims by name, and no `acr` out of reach           | OIDC Core 5.5                |
/// | `id_token_hint`  | an ID token of ours for this app                    | OIDC Core 3.1.2.1            |
/// | `first_screen`   | a known spelling                                    | Logto                        |
/// | `one_time_token` | nothing: a reset looks at it later                  | Logto                        |
/// | `identifiers`    | nothing: unknown kinds are left out                 | Logto                        |
/// | `session`        | (after) the right person, signed in recently enough | OIDC Core 3.1.2.3            |
/// | `consent`        | (after) all that is asked is allowed                | OIDC Core 3.1.2.4            |
fn checked(asked: &Asked<'_>) -> Result<AuthorizationRequest, ProtocolError> {
    repeated::check(asked)?;
    characters::check(asked)?;
    channel::check(asked)?;
    request_object::check(asked)?;
    response_type::check(asked)?;
    let response_mode = response_mode::check(asked)?;
    let scopes = scope::check(asked)?;
    let sent = |name| asked.params.one(name).map(str::to_owned);
    let code_challenge = pkce::check(asked)?;
    let resources = resource::check(asked)?;
    let prompt = prompt::check(asked)?;
    let max_age = max_age::check(asked)?;
    let claims = claims::check(asked)?;
    let subject = id_token_hint::check(asked)?;
    let first_screen = first_screen::check(asked)?;
    Ok(AuthorizationRequest {
        code_challenge,
        resources,
        prompt,
        max_age,
        claims,
        subject,
        first_screen,
        one_time_token: one_time_token::check(asked, first_screen),
        identifiers: identifiers::check(asked),
        client_id: asked.app.client_id.clone(),
        redirect_uri: asked.redirect_uri.to_owned(),
        response_mode,
        scopes,
        state: sent("state"),
        nonce: sent("nonce"),
        login_hint: sent("login_hint"),
        ui_locales: sent("ui_locales"),
        for_app: sent(FOR_APP).filter(|_| asked.app.client_id == RESET_CLIENT_ID),
    })
}

/// The checks of scope and resource alone, for a request that needs no redirect (RFC 8628 3.1).
pub(super) fn scopes_and_resources(
    inner: &Inner,
    params: &Params,
    app: &App,
) -> Result<(Scopes, Vec<String>), ProtocolError> {
    let asked = Asked {
        params,
        app,
        redirect_uri: "",
        channel: Channel::Pushed,
        registry: &inner.registry,
        issuer: &inner.issuer,
        ring: None,
    };
    Ok((scope::check(&asked)?, resource::check(&asked)?))
}

/// Runs the checks for an app and its redirect URI.
async fn check(
    inner: &Inner,
    params: &Params,
    app: &App,
    redirect_uri: &str,
    channel: Channel,
    now: Timestamp,
) -> Result<AuthorizationRequest, ProtocolError> {
    let ring = match params.one("id_token_hint") {
        Some(_) => Some(inner.keys.ring(now).await),
        None => None,
    };
    checked(&Asked {
        params,
        app,
        redirect_uri,
        channel,
        registry: &inner.registry,
        issuer: &inner.issuer,
        ring,
    })
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

    /// Ours, and it may be over in a moment. What it is was logged.
    fn failure() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: ErrorKind::Failure,
            detail: "The sign-in could not begin. Try again in a moment.",
        }
    }
}
