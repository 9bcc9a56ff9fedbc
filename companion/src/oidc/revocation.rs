//! Revocation (RFC 7009). An app gives back its own tokens; a refresh token takes all of its grant with it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::error::ProtocolError;
use super::params::Params;
use super::registry::App;
use super::{Inner, Provider, client_auth, no_store};
use crate::secrets::digest_of;
use crate::store::{grants, machine_tokens, tokens};

pub(super) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    match handle(&provider.0, request).await {
        // RFC 7009 2.2: also for a token that nobody knows.
        Ok(()) => (StatusCode::OK, no_store()).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn handle(inner: &Inner, request: Request) -> Result<(), ProtocolError> {
    let (parts, body) = request.into_parts();
    let params = Params::of_form(&parts.headers, body).await?;
    let app = client_auth::authenticate(inner, &parts, &params).await?;
    let digest = digest_of(params.required("token")?);
    // `token_type_hint` would save a look-up by key; all are made.
    if let Some(row) = tokens::find_refresh(inner.store.reader(), &digest).await? {
        owned(&app, &row.granted.client_id)?;
        grants::revoke(inner.store.writer(), &row.granted.grant_id).await?;
    } else if let Some(row) = tokens::find_access(inner.store.reader(), &digest, inner.clock.now()).await? {
        owned(&app, &row.client_id)?;
        tokens::revoke_access(inner.store.writer(), &digest).await?;
    } else if let Some(row) = machine_tokens::find(inner.store.reader(), &digest, inner.clock.now()).await? {
        owned(&app, &row.client_id)?;
        machine_tokens::revoke(inner.store.writer(), &digest).await?;
    }
    Ok(())
}

/// RFC 7009 2.1: a token of another app is refused.
fn owned(app: &App, client_id: &str) -> Result<(), ProtocolError> {
    if app.client_id == client_id {
        return Ok(());
    }
    Err(ProtocolError::invalid_request(
        "The token was given to another app.",
    ))
}
