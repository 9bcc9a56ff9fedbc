//! `/api/users/{id}/grants`: what apps were granted by somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use crate::app::Companion;
use crate::store::grants::{self, HeldGrant};
use crate::store::{audit, users};

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let (db, now) = (companion.store.reader(), companion.clock.now());
    let user = users::find(db, &id).await?.ok_or_else(ApiError::not_found)?;
    let held = grants::list(db, &user.id, now).await?;
    let held = held.iter().map(|grant| shown(grant, &user.id));
    Ok(Json(json!({ "grants": held.collect::<Vec<_>>() })).into_response())
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
    let held = grants::list(&mut *tx, &id, now).await?;
    let Some(grant) = held.iter().find(|grant| grant.id == grant_id) else {
        return Err(ApiError::not_found());
    };
    let app = companion.provider.app(&grant.client_id).await?;
    if app.is_some_and(|app| app.first_party) {
        grants::revoke(&mut *tx, &grant_id).await?;
    } else {
        // What the person has allowed would give the app of somebody else another code in silence.
        companion
            .endings
            .withdraw(&mut tx, &id, &grant.client_id, now)
            .await?;
    }
    let line = operator.line("grant_revoked_by_app", &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}
