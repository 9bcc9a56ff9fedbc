//! `/api/users/{id}`: one account, changed, suspended, or deleted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Deserialize;

use super::body::Body;
use super::caller::Operator;
use super::details::{Details, Person};
use super::error::{ApiError, ApiResult};
use super::users::{account, shown};
use crate::accounts::save_edited;
use crate::app::Companion;
use crate::config::webhook::WebhookEvent;
use crate::store::account_status::{self, AccountStatus};
use crate::store::users::{self, Added, User};
use crate::store::{StoreError, accounts, audit};
use crate::webhooks::ApiCall;

const EDIT: ApiCall = ApiCall {
    method: "PATCH",
    route: "/users/:userId",
    status: 200,
    event: WebhookEvent::UserDataUpdated,
};
const SUSPEND: ApiCall = ApiCall {
    method: "PATCH",
    route: "/users/:userId/is-suspended",
    status: 200,
    event: WebhookEvent::UserSuspensionUpdated,
};
const DELETE: ApiCall = ApiCall {
    method: "DELETE",
    route: "/users/:userId",
    status: 204,
    event: WebhookEvent::UserDeleted,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Suspension {
    is_suspended: bool,
}

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let account = account(companion.store.reader(), &id).await?;
    Ok(Json(shown(&account)).into_response())
}

pub(super) async fn patch(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
    Body(details): Body<Details>,
) -> ApiResult {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let before = users::find(&mut *tx, &id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let person = Person::of(&before).with(details, companion.config.sms.default_region)?;
    person.check_free(&mut tx, &id).await?;
    let after = edited(before.clone(), person);
    if save_edited(&mut tx, &companion.notices, &before, &after, now).await? == Added::Taken {
        return Err(ApiError::failed(StoreError::Corrupt {
            table: "users",
            reason: "a name was free, and is taken in the same transaction".to_owned(),
        }));
    }
    let line = operator.line("user_edited", &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    let account = account(&mut *tx, &id).await?;
    let changed = operator.change(&account.user, EDIT, now);
    companion.webhooks.account_changed(&mut tx, changed).await?;
    tx.commit().await?;
    companion.outbox.wake();
    Ok(Json(shown(&account)).into_response())
}

/// The operator vouches for an address that is new.
fn edited(mut user: User, person: Person) -> User {
    user.email_verified = person.email.is_some() && (user.email_verified || user.email != person.email);
    user.phone_verified = person.phone.is_some() && (user.phone_verified || user.phone != person.phone);
    user.profile = person.profile.to_stored();
    user.username = person.username;
    user.email = person.email;
    user.phone = person.phone;
    user.name = person.name;
    user
}

/// Suspending signs the person out everywhere.
pub(super) async fn suspend(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
    Body(Suspension { is_suspended }): Body<Suspension>,
) -> ApiResult {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let (status, event) = if is_suspended {
        (AccountStatus::Disabled, "user_disabled")
    } else {
        (AccountStatus::Active, "user_enabled")
    };
    let distrusted = account_status::set_by_operator(&mut tx, &id, status, now)
        .await?
        .ok_or_else(ApiError::not_found)?;
    companion
        .notices
        .addresses_distrusted(&mut tx, &id, distrusted, now)
        .await?;
    if is_suspended {
        companion.endings.cut_off(&mut tx, &id, None, now).await?;
    }
    let line = operator.line(event, &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    let account = account(&mut *tx, &id).await?;
    let changed = operator.change(&account.user, SUSPEND, now);
    companion.webhooks.account_changed(&mut tx, changed).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(Json(shown(&account)).into_response())
}

/// The apps are told that its sessions have ended; its id is never given to anybody else.
pub(super) async fn delete(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let user = users::find(&mut *tx, &id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    companion.endings.cut_off(&mut tx, &id, None, now).await?;
    let changed = operator.change(&user, DELETE, now);
    companion.webhooks.account_changed(&mut tx, changed).await?;
    if !accounts::delete(&mut tx, &id).await? {
        return Err(ApiError::not_found());
    }
    let line = operator.line("user_deleted", &id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await?;
    companion.endings.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}
