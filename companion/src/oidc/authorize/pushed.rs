//! Pushed authorization requests (RFC 9126): an app hands its request over by the back channel, authenticated, and the
//! browser brings a reference to it. The request passes the same checks, in the same order, as one that a browser brings.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use keyback_core::time::Timestamp;
use serde::Serialize;

use super::super::error::{ErrorCode, Failure, ProtocolError};
use super::super::interaction::AuthorizationRequest;
use super::super::pages::ErrorKind;
use super::super::params::{MOST_QUERY_BYTES, Params};
use super::super::registry::App;
use super::super::{Inner, Provider, client_auth, no_store};
use super::{Channel, Refusal, check};
use crate::http::client_ip::address_of;
use crate::secrets::{digest_of, random_token};
use crate::store::StoreError;
use crate::store::pushed_requests::{self, NewPushedRequest};

/// What the references begin with (RFC 9126 2.2); 256 random bits follow.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a reference waits for the browser: the redirect comes at once.
const LIFE: Duration = Duration::from_secs(60);

/// The answer of RFC 9126 2.2.
#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    expires_in: u64,
}

/// `POST /oidc/request`.
pub(in crate::oidc) async fn push(State(provider): State<Provider>, request: Request) -> Response {
    match accept(&provider.0, request).await {
        Ok(pushed) => (StatusCode::CREATED, no_store(), Json(pushed)).into_response(),
        Err(Refused::TooLarge(error)) => {
            let mut response = error.into_response();
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            response
        }
        Err(Refused::Wrong(error)) => error.into_response(),
    }
}

/// Why a request was not taken.
enum Refused {
    Wrong(ProtocolError),
    /// RFC 9126 2.3 has a status for it.
    TooLarge(ProtocolError),
}

impl<E: Into<ProtocolError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Wrong(error.into())
    }
}

async fn accept(inner: &Inner, request: Request) -> Result<Pushed, Refused> {
    let (parts, body) = request.into_parts();
    let params = Params::of_form(&parts.headers, body).await?;
    let app = client_auth::authenticate(inner, &parts, &params).await?;
    if params.to_query().len() > MOST_QUERY_BYTES {
        let description = "The request is longer than 16 KiB.";
        return Err(Refused::TooLarge(ProtocolError::invalid_request(description)));
    }
    if !app.has_people() {
        let description = "A machine app has no people who sign in.";
        return Err(ProtocolError::new(ErrorCode::UnauthorizedClient, description).into());
    }
    if params.one("request_uri").is_some() {
        // RFC 9126 2.1: a reference leads to parameters, not to another reference.
        return Err(
            ProtocolError::invalid_request("Push the parameters themselves, not a request_uri.").into(),
        );
    }
    let redirect_uri = params.required("redirect_uri")?;
    if !app.allows_redirect(redirect_uri) {
        return Err(
            ProtocolError::invalid_request("The redirect_uri is not registered for this app.").into(),
        );
    }
    let now = inner.clock.now();
    let request = check(inner, &params, &app, redirect_uri, Channel::Pushed, now).await?;
    if !app.is_confidential() {
        // Anybody can push for such an app.
        inner
            .limit_written_requests(address_of(&parts.extensions), now)
            .await?;
    }
    let reference = random_token(&*inner.random);
    let new = NewPushedRequest {
        digest: &digest_of(&reference),
        client_id: &app.client_id,
        request: &serde_json::to_string(&request).map_err(Failure::from)?,
        expires_at: now + LIFE,
    };
    let mut tx = inner.store.begin().await?;
    pushed_requests::add(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok(Pushed {
        request_uri: format!("{PREFIX}{reference}"),
        expires_in: LIFE.as_secs(),
    })
}

/// The reference that a browser brings. `None`: the request is no reference of ours.
pub(super) fn reference(params: &Params) -> Option<&str> {
    params.one("request_uri")?.strip_prefix(PREFIX)
}

/// The pushed request that a browser brings the reference of, once.
///
/// Where the reference leads to nothing, where to return to isn't known: that is a page.
pub(super) async fn take(
    inner: &Inner,
    params: &Params,
    reference: &str,
    app: &App,
    now: Timestamp,
) -> Result<AuthorizationRequest, Refusal> {
    let dead = Refusal::new(
        ErrorKind::Expired,
        "The pushed sign-in request is unknown, has expired, was used already, or is another app's.",
    );
    if params.is_repeated("request_uri") {
        return Err(dead);
    }
    match find(inner, &digest_of(reference), app, now).await {
        // What the app may have can change in a minute, too.
        Ok(Some(request)) if app.allows_redirect(&request.redirect_uri) => Ok(request),
        Ok(_) => Err(dead),
        Err(error) => {
            tracing::error!(%error, "a pushed authorization request could not be looked up");
            Err(Refusal::failure())
        }
    }
}

async fn find(
    inner: &Inner,
    digest: &str,
    app: &App,
    now: Timestamp,
) -> Result<Option<AuthorizationRequest>, StoreError> {
    let json = pushed_requests::take(inner.store.writer(), digest, &app.client_id, now).await?;
    let request = json.map(|json| serde_json::from_str(&json)).transpose();
    request.map_err(|error| StoreError::Corrupt {
        table: "pushed_requests",
        reason: error.to_string(),
    })
}
