//! `/api/users/{id}/grants`: what apps were granted by somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use keyback_core::time::Timestamp;
use serde_json::{Value, json};

use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use crate::app::Companion;
use crate::store::grants::{self, HeldGrant};
use crate::store::{Transaction, audit, users};

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let found = users::find(companion.store.reader(), &id).await?;
    let user = found.ok_or_else(ApiError::not_found)?;
    let held = list(&companion, &user.id).await?;
    Ok(Json(json!({ "grants": held })).into_response())
}

/// The grants of an account.
pub(super) async fn list(companion: &Companion, user_id: &str) -> Result<Vec<Value>, ApiError> {
    let (db, now) = (companion.store.reader(), companion.clock.now());
    let held = grants::list(db, user_id, now).await?;
    Ok(held.iter().map(|grant| shown(grant, user_id)).collect())
}

fn shown(grant: &HeldGrant, user_id: &str) -> Value {
    json!({
        "id": grant.id,
        "payload": {
            "kind": "Grant",
            "jti": grant.id,
            "clientId": grant.client_id,
            "accountId": user_id,
            "openid": { "scope": grant.scope },
            "iat": grant.created_at().as_secs(),
            "exp": grant.expires_at().as_secs(),
        },
        "expiresAt": grant.expires_at().as_millis(),
    })
}

pub(super) async fn delete(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path((id, grant_id)): Path<(String, String)>,
) -> ApiResult {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    revoke(&companion, &mut tx, &id, &grant_id, now).await?;
    let line = operator.line("grant_revoked_by_app", &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revokes a grant of an account.
pub(super) async fn revoke(
    companion: &Companion,
    tx: &mut Transaction,
    user_id: &str,
    grant_id: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    let held = grants::list(&mut **tx, user_id, now).await?;
    let Some(grant) = held.iter().find(|grant| grant.id == grant_id) else {
        return Err(ApiError::not_found());
    };
    let app = companion.provider.app(&grant.client_id).await?;
    if app.is_some_and(|app| app.first_party) {
        grants::revoke(&mut **tx, grant_id).await?;
    } else {
        // What the person has allowed would give the app of somebody else another code in silence.
        companion
            .endings
            .withdraw(tx, user_id, &grant.client_id, now)
            .await?;
    }
    Ok(())
}
