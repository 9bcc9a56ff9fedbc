//! Introspection (RFC 7662): whether a token lives, told to the app that holds it or to the API it is for.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::ProtocolError;
use super::params::Params;
use super::registry::App;
use super::{Inner, Provider, client_auth, no_store};
use crate::secrets::digest_of;
use crate::store::machine_tokens;
use crate::store::tokens::{self, AccessToken};

pub(super) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    match handle(&provider.0, request).await {
        Ok(answer) => (no_store(), Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn handle(inner: &Inner, request: Request) -> Result<Value, ProtocolError> {
    let (parts, body) = request.into_parts();
    let params = Params::of_form(&parts.headers, body).await?;
    let app = client_auth::authenticate(inner, &parts, &params).await?;
    if !app.is_confidential() {
        // RFC 7662 2.1: else anybody could try tokens here.
        return Err(ProtocolError::invalid_client(false).because("introspection by an app without a secret"));
    }
    let digest = digest_of(params.required("token")?);
    let live = match access(inner, &app, &digest).await? {
        Some(live) => Some(live),
        None => match machine(inner, &app, &digest).await? {
            Some(live) => Some(live),
            None => refresh(inner, &app, &digest).await?,
        },
    };
    let mut answer = live.unwrap_or_else(|| json!({ "active": false }));
    // A scope is at least one word (RFC 6749 3.3).
    if answer["scope"] == ""
        && let Some(members) = answer.as_object_mut()
    {
        members.remove("scope");
    }
    Ok(answer)
}

async fn access(inner: &Inner, app: &App, digest: &str) -> Result<Option<Value>, ProtocolError> {
    let now = inner.clock.now();
    let Some(row) = tokens::find_access(inner.store.reader(), digest, now).await? else {
        return Ok(None);
    };
    let told = told(inner, app, &row.client_id, &row.user_id, &row.token).await?;
    let Some(mut told) = told else {
        return Ok(None);
    };
    if inner
        .live_user(&row.user_id, row.token.issued_at())
        .await?
        .is_none()
    {
        return Ok(None);
    }
    told["sid"] = row.session_id.into();
    Ok(Some(told))
}

/// A token that an app got for itself.
async fn machine(inner: &Inner, app: &App, digest: &str) -> Result<Option<Value>, ProtocolError> {
    let now = inner.clock.now();
    match machine_tokens::find(inner.store.reader(), digest, now).await? {
        Some(row) => told(inner, app, &row.client_id, &row.client_id, &row.token).await,
        None => Ok(None),
    }
}

/// What an app is told of an access token, if it may know of it. With an app that was taken out of the configuration,
/// its tokens end.
async fn told(
    inner: &Inner,
    app: &App,
    client_id: &str,
    subject: &str,
    token: &AccessToken,
) -> Result<Option<Value>, ProtocolError> {
    if !is_for(app, client_id, token.resource.as_deref()) || inner.registry.find(client_id).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(json!({
        "active": true,
        "token_type": "Bearer",
        "scope": token.scope,
        "client_id": client_id,
        "sub": subject,
        "aud": token.resource.as_deref().unwrap_or(client_id),
        "iss": inner.issuer,
        "iat": token.issued_at().as_secs(),
        "exp": token.expires_at().as_secs(),
    })))
}

/// Whether an app may know of a token: it holds it, or it is the API that the token is for, which is an app that may
/// use the resource.
fn is_for(app: &App, client_id: &str, resource: Option<&str>) -> bool {
    client_id == app.client_id || resource.is_some_and(|it| app.may_use(it))
}

async fn refresh(inner: &Inner, app: &App, digest: &str) -> Result<Option<Value>, ProtocolError> {
    let now = inner.clock.now();
    let Some(row) = tokens::find_refresh(inner.store.reader(), digest).await? else {
        return Ok(None);
    };
    let granted = &row.granted;
    let is_live = row.used_at().is_none() && row.expires_at() > now && granted.client_id == app.client_id;
    if !is_live
        || inner
            .live_user(&granted.user_id, row.issued_at())
            .await?
            .is_none()
    {
        return Ok(None);
    }
    Ok(Some(json!({
        "active": true,
        "scope": granted.scope,
        "client_id": granted.client_id,
        "sub": granted.user_id,
        "iss": inner.issuer,
        "iat": row.issued_at().as_secs(),
        "exp": row.expires_at().as_secs(),
        "sid": granted.session_id,
    })))
}
