//! Userinfo (OIDC Core 5.3), for an access token in the header (RFC 6750 2.1) or in a form body (2.2), never in the
//! address: that rests in logs and histories (RFC 9700 4.3.2).

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::claims::{self, ClaimsRequest, Person, Place};
use super::error::{ErrorCode, ProtocolError};
use super::params::Params;
use super::scope::{OPENID, Scopes};
use super::{Inner, Provider, bearer, cors, no_store};
use crate::http::forms;
use crate::secrets::digest_of;
use crate::store::tokens;

/// The parameter of a form body that holds the token.
const ACCESS_TOKEN: &str = "access_token";

pub(super) async fn answer(State(provider): State<Provider>, request: Request) -> Response {
    match claims_for(&provider.0, request).await {
        Ok(claims) => (no_store(), Json(claims)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn claims_for(inner: &Inner, request: Request) -> Result<Map<String, Value>, ProtocolError> {
    let (parts, body) = request.into_parts();
    let digest = token_digest(&parts, body).await?;
    let dead = || {
        ProtocolError::bearer(
            ErrorCode::InvalidToken,
            "The access token is unknown, expired or revoked, or it is for an API. Refresh it, or sign in again.",
        )
    };
    let now = inner.clock.now();
    let found = tokens::find_access(inner.store.reader(), &digest, now).await?;
    let row = found
        .filter(|row| row.token.resource.is_none())
        .ok_or_else(dead)?;
    // With an app that was taken out of the configuration, its tokens end.
    let app = inner.registry.find(&row.client_id).await?.ok_or_else(dead)?;
    if cors::is_asked(&parts.extensions) {
        cors::tell(&parts.extensions, &app);
    }
    let user = inner
        .live_user(&row.user_id, row.token.issued_at())
        .await?
        .ok_or_else(dead)?;
    let auth_time = row.auth_time();
    let scopes = Scopes::from(row.token.scope);
    if !scopes.contains(OPENID) {
        return Err(ProtocolError::bearer(
            ErrorCode::InsufficientScope,
            "The access token was given without the scope openid.",
        ));
    }
    let asked = ClaimsRequest::from_stored(row.claims.as_deref())?;
    let person = Person {
        user: &user,
        session_id: &row.session_id,
        auth_time,
        amr: &row.amr,
    };
    Ok(claims::released(Place::Userinfo, &scopes, &asked, &person))
}

/// The digest of the one token that the request sends. Two ways at once are refused (RFC 6750 2): they could differ.
async fn token_digest(parts: &Parts, body: Body) -> Result<String, ProtocolError> {
    let of_header = bearer::sent(&parts.headers)
        .map_err(|bearer::SentTwice| {
            ProtocolError::bearer(ErrorCode::InvalidRequest, "Send one header Authorization.")
        })?
        .map(digest_of);
    let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let in_query = query.is_ok_and(|query| query.one(ACCESS_TOKEN).is_some());
    let of_body = if parts.method == Method::POST && forms::is_form(&parts.headers) {
        let form = Params::of_form(&parts.headers, body)
            .await
            .map_err(ProtocolError::with_bearer_challenge)?;
        form.one(ACCESS_TOKEN).map(digest_of)
    } else {
        None
    };
    match (of_header, of_body, in_query) {
        (Some(digest), None, false) | (None, Some(digest), false) => Ok(digest),
        (None, None, _) => Err(ProtocolError::no_token()),
        _ => Err(ProtocolError::bearer(
            ErrorCode::InvalidRequest,
            "Send the access token in one way: in the header Authorization, or in a form body.",
        )),
    }
}
