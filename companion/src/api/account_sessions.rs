//! `/api/my-account/sessions` and `/api/my-account/grants`: where one is signed in oneself, and what apps may do. Both ask
//! for a verification; no scope is asked for beside it, since apps of others may not call at all.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::json;

use super::caller::Person;
use super::error::{ApiError, ApiResult};
use super::user_sessions::Revoke;
use super::verification::{self, line};
use super::{user_grants, user_sessions};
use crate::app::Companion;
use crate::store::{Transaction, audit, tokens};

pub(super) async fn sessions(
    State(companion): State<Arc<Companion>>,
    person: Person,
    headers: HeaderMap,
) -> ApiResult {
    verification::expect(&companion, &person, &headers).await?;
    let mut all = user_sessions::list(&companion, &person.acting.user).await?;
    for session in &mut all {
        let is_current = session["payload"]["uid"] == person.acting.session_id.as_str();
        session["isCurrent"] = json!(is_current);
    }
    Ok(Json(json!({ "sessions": all })).into_response())
}

pub(super) async fn end_session(
    State(companion): State<Arc<Companion>>,
    person: Person,
    headers: HeaderMap,
    Path(session_id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let revoke = Revoke::parse(query.as_deref())?;
    verification::expect(&companion, &person, &headers).await?;
    let now = companion.clock.now();
    let mut tx = begin(&companion, &person).await?;
    user_sessions::end(&companion, &mut tx, &person.acting.user, &session_id, revoke, now).await?;
    let line = line(&person, "session_ended", now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn grants(
    State(companion): State<Arc<Companion>>,
    person: Person,
    headers: HeaderMap,
) -> ApiResult {
    verification::expect(&companion, &person, &headers).await?;
    let held = user_grants::list(&companion, &person.acting.user.id).await?;
    Ok(Json(json!({ "grants": held })).into_response())
}

pub(super) async fn revoke_grant(
    State(companion): State<Arc<Companion>>,
    person: Person,
    headers: HeaderMap,
    Path(grant_id): Path<String>,
) -> ApiResult {
    verification::expect(&companion, &person, &headers).await?;
    let now = companion.clock.now();
    let mut tx = begin(&companion, &person).await?;
    user_grants::revoke(&companion, &mut tx, &person.acting.user.id, &grant_id, now).await?;
    let line = line(&person, "grant_revoked", now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A transaction in which the token of the call lives still: a reset that came first has ended it.
async fn begin(companion: &Companion, person: &Person) -> Result<Transaction, ApiError> {
    let mut tx = companion.store.begin().await?;
    let live = tokens::find_access(&mut *tx, &person.acting.digest, companion.clock.now()).await?;
    live.map(|_| tx).ok_or_else(ApiError::unauthorized)
}
