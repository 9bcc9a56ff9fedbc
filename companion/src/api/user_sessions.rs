//! `/api/users/{id}/sessions`: where somebody is signed in, in the form of Logto's engine; what `/api/my-account/sessions`
//! has in common with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use keyback_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use crate::app::Companion;
use crate::http::forms::Fields;
use crate::store::sessions::{self, Session};
use crate::store::users::{self, User};
use crate::store::{Transaction, audit, grants};

/// Which offline grants end with a session: `revokeGrantsTarget`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revoke {
    All,
    FirstParty,
    None,
}

impl Revoke {
    pub(super) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let fields =
            Fields::from_query(query).map_err(|_| ApiError::invalid_input("The query can't be read."))?;
        match fields.one("revokeGrantsTarget") {
            None => Ok(Self::None),
            Some("all") => Ok(Self::All),
            Some("firstParty") => Ok(Self::FirstParty),
            Some(_) => Err(ApiError::invalid_input(
                "revokeGrantsTarget is all or firstParty.",
            )),
        }
    }
}

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let found = users::find(companion.store.reader(), &id).await?;
    let user = found.ok_or_else(ApiError::not_found)?;
    let all = list(&companion, &user).await?;
    Ok(Json(json!({ "sessions": all })).into_response())
}

/// The sessions of an account.
pub(super) async fn list(companion: &Companion, user: &User) -> Result<Vec<Value>, ApiError> {
    let (db, now) = (companion.store.reader(), companion.clock.now());
    let mut apps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (session_id, client_id) in grants::list_taking_part(db, &user.id).await? {
        apps.entry(session_id).or_default().push(client_id);
    }
    let all = sessions::list(db, &user.id, now).await?;
    let shown = all.iter().map(|session| {
        let apps = apps.get(&session.id).map(Vec::as_slice).unwrap_or_default();
        shown(session, apps)
    });
    Ok(shown.collect())
}

fn shown(session: &Session, apps: &[String]) -> Value {
    let of_app = |client_id: &String| (client_id.clone(), json!({ "sid": session.id }));
    json!({
        "payload": {
            "kind": "Session",
            "uid": session.id,
            "jti": session.id,
            "accountId": session.user_id,
            "loginTs": session.auth_time().as_secs(),
            "iat": session.created_at().as_secs(),
            "exp": session.expires_at().as_secs(),
            "authorizations": apps.iter().map(of_app).collect::<Map<_, _>>(),
        },
        "lastSubmission": {
            "interactionEvent": "SignIn",
            "userId": session.user_id,
            "signInContext": { "ip": session.client_ip, "userAgent": session.user_agent },
        },
        "clientId": apps.first(),
        "accountId": session.user_id,
        "expiresAt": session.expires_at().as_millis(),
    })
}

pub(super) async fn delete(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path((id, session_id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let revoke = Revoke::parse(query.as_deref())?;
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let user = users::find(&mut *tx, &id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    end(&companion, &mut tx, &user, &session_id, revoke, now).await?;
    let line = operator.line("session_ended_by_app", &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends a session of an account, with the grants that are to go with it.
pub(super) async fn end(
    companion: &Companion,
    tx: &mut Transaction,
    user: &User,
    session_id: &str,
    revoke: Revoke,
    now: Timestamp,
) -> Result<(), ApiError> {
    let all = sessions::list(&mut **tx, &user.id, now).await?;
    if !all.iter().any(|session| session.id == session_id) {
        return Err(ApiError::refused(
            StatusCode::NOT_FOUND,
            "oidc.session_not_found",
            "The account has no such session, or it has ended.",
        ));
    }
    match revoke {
        Revoke::All => companion.endings.evict_session(tx, session_id, now).await?,
        Revoke::FirstParty => {
            revoke_own(companion, tx, user, session_id, now).await?;
            companion.endings.end_session(tx, session_id, now).await?;
        }
        Revoke::None => companion.endings.end_session(tx, session_id, now).await?,
    }
    Ok(())
}

/// Revokes what apps of one's own were granted in a session.
async fn revoke_own(
    companion: &Companion,
    tx: &mut Transaction,
    user: &User,
    session_id: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    let held = grants::list(&mut **tx, &user.id, now).await?;
    for grant in held.iter().filter(|grant| grant.session_id == session_id) {
        let app = companion.provider.app(&grant.client_id).await?;
        if app.is_none_or(|app| app.first_party) {
            grants::revoke(&mut **tx, &grant.id).await?;
        }
    }
    Ok(())
}
