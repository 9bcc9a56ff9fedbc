//! Userinfo (OIDC Core 5.3), for an access token in the header (RFC 6750 2.1).

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::error::{ErrorCode, ProtocolError};
use super::scope::{OPENID, Scopes};
use super::{Inner, Provider, claims, no_store};
use crate::secrets::digest_of;
use crate::store::tokens;

pub(super) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    match of_token(&provider.0, request.headers()).await {
        Ok(claims) => (no_store(), Json(claims)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn of_token(inner: &Inner, headers: &HeaderMap) -> Result<Map<String, Value>, ProtocolError> {
    let token = bearer(headers)?;
    let dead = || {
        ProtocolError::bearer(
            ErrorCode::InvalidToken,
            "The access token is unknown, expired or revoked, or it is for an API. Refresh it, or sign in again.",
        )
    };
    let now = inner.clock.now();
    let found = tokens::find_access(inner.store.reader(), &digest_of(token), now).await?;
    let row = found.filter(|row| row.resource.is_none()).ok_or_else(dead)?;
    let user = inner
        .live_user(&row.user_id, row.issued_at())
        .await?
        .ok_or_else(dead)?;
    let scopes = Scopes::from(row.scope);
    if !scopes.contains(OPENID) {
        return Err(ProtocolError::bearer(
            ErrorCode::InsufficientScope,
            "The access token was given without the scope openid.",
        ));
    }
    let mut answer = claims::of(&user, &scopes);
    answer.insert("sub".to_owned(), Value::String(user.id));
    Ok(answer)
}

fn bearer(headers: &HeaderMap) -> Result<&str, ProtocolError> {
    let mut sent = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return Err(ProtocolError::no_token());
    };
    let text = value.to_str().map_err(|_| ProtocolError::no_token())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(token.trim()),
        _ => Err(ProtocolError::no_token()),
    }
}
