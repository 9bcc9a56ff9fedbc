//! `/api/users/{id}/password`, and what may be asked of it. Who sets a password here sets it as a reset does: the policy
//! holds, and what the one before had opened ends (SR-44, SR-54, SR-73).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use keyback_core::ids::Subject;
use keyback_core::password::{
    MAX_CODE_POINTS, NewPassword, PasswordRejection, PasswordTooLarge, UserFacts, Violation,
};
use keyback_core::ports::ReplacedPassword;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use super::users::{account, shown};
use crate::app::Companion;
use crate::backends::checked_password::StoredPassword;
use crate::backends::embedded::{Change, Changer, facts};
use crate::hashing::Lane;
use crate::metrics::{Place, Reason};
use crate::pages::off_the_serving_threads;
use crate::store::{audit, users};

/// While breached passwords can't be looked up.
pub(super) const CHECK_AGAIN_AFTER: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
pub(super) struct Password {
    pub(super) password: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Expiration {
    is_expired: bool,
}

pub(super) async fn patch(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
    Body(Password { password }): Body<Password>,
) -> Response {
    off_the_serving_threads(async move { set(&companion, &operator, &id, &password).await.into_response() })
        .await
}

async fn set(companion: &Companion, operator: &Operator, id: &str, password: &str) -> ApiResult {
    let found = users::find(companion.store.reader(), id).await?;
    let user = found.ok_or_else(ApiError::not_found)?;
    let replaced = StoredPassword {
        backend: &companion.backend,
        subject: Subject::new(user.id.clone()),
    };
    let phc = hash_new(companion, password, &facts(&user), &replaced).await?;
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    // Hashing takes long: the account may be another by now, or gone.
    let user = users::find(&mut *tx, id).await?.ok_or_else(ApiError::not_found)?;
    let change = Change {
        user: &user,
        client_ip: &operator.client_ip,
        user_agent: operator.user_agent.as_deref(),
        by: Changer::App {
            client_id: &operator.app.client_id,
        },
        now,
    };
    companion.backend.change_password(&mut tx, &change, &phc).await?;
    let account = account(&mut *tx, id).await?;
    tx.commit().await?;
    companion.outbox.wake();
    Ok(Json(shown(&account)).into_response())
}

/// The hash of a new password that the policy accepts.
pub(super) async fn hash_new(
    companion: &Companion,
    password: &str,
    facts: &UserFacts,
    replaced: &impl ReplacedPassword,
) -> Result<String, ApiError> {
    let new = parse(password)?.map_err(|too_long| ApiError::weak_password(&[too_long]))?;
    match companion.resets.passwords().accept(new, facts, replaced).await? {
        Ok(accepted) => Ok(companion.backend.hash(Lane::SignIn, &accepted).await?),
        Err(PasswordRejection::Weak(violations)) => Err(ApiError::weak_password(&violations)),
        Err(PasswordRejection::CheckUnavailable) => Err(ApiError::Busy(CHECK_AGAIN_AFTER)),
    }
}

/// Reads a password that somebody is to have, unless it is too long for one.
pub(super) fn parse(password: &str) -> Result<Result<NewPassword, Violation>, ApiError> {
    if password.is_empty() {
        return Err(ApiError::invalid_input("The password is empty."));
    }
    let max = u32::try_from(MAX_CODE_POINTS).unwrap_or(u32::MAX);
    Ok(NewPassword::parse(password).map_err(|PasswordTooLarge| Violation::TooLong { max }))
}

/// Tries are counted by account: a site that lets visitors guess by this call finds no password here either (SR-20), and
/// what it guessed wrong stands in the audit trail.
pub(super) async fn verify(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
    Body(Password { password }): Body<Password>,
) -> ApiResult {
    let found = users::find(companion.store.reader(), &id).await?;
    let user = found.ok_or_else(ApiError::not_found)?;
    let (subject, now) = (Subject::new(user.id.clone()), companion.clock.now());
    let allowed = companion.limiter.verify_password(&subject, now).await?;
    allowed.map_err(ApiError::too_many_tries)?;
    if companion.backend.check_password(user, &password).await?.is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    companion.metrics.refused(Place::Api, Reason::WrongPassword);
    let line = operator.line("password_verification_failed", &id, now);
    audit::write(companion.store.writer(), companion.random.as_ref(), &line).await?;
    Err(ApiError::wrong_password())
}

pub(super) async fn has(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let account = account(companion.store.reader(), &id).await?;
    Ok(Json(json!({ "hasPassword": account.has_password })).into_response())
}

/// Passwords don't expire here (SR-42), as in a Logto where that is off.
pub(super) async fn expire(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
    Body(Expiration { is_expired }): Body<Expiration>,
) -> ApiResult {
    account(companion.store.reader(), &id).await?;
    if is_expired {
        return Err(ApiError::refused(
            StatusCode::BAD_REQUEST,
            "sign_in_experiences.password_expiration_not_enabled",
            "Passwords don't expire here. To have a new one chosen, end the sessions and send the person to \
             /reset-password.",
        ));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
