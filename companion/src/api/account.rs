//! `/api/my-account`: one's own account, and a new password for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use keyback_core::ids::Subject;
use serde_json::{Value, json};

use super::body::Body;
use super::caller::Person;
use super::error::{ApiError, ApiResult};
use super::user_password::{Password, hash_new};
use crate::app::Companion;
use crate::backends::checked_password::StoredPassword;
use crate::backends::embedded::{Change, Changer, facts};
use crate::logto_account;
use crate::oidc::scope::{ADDRESS, EMAIL, PHONE, PROFILE};
use crate::pages::off_the_serving_threads;
use crate::store::{accounts, credentials, tokens};

/// The members that a scope opens.
const OPENED: [(&str, &[&str]); 3] = [
    (PROFILE, &["username", "name", "avatar", "profile"]),
    (EMAIL, &["primaryEmail"]),
    (PHONE, &["primaryPhone"]),
];

/// The members that no scope opens: apps of others are told none of them.
const STATE: [&str; 5] = [
    "lastSignInAt",
    "createdAt",
    "updatedAt",
    "applicationId",
    "isSuspended",
];

/// The account, as far as the scopes of the token open it.
pub(super) async fn get(State(companion): State<Arc<Companion>>, person: Person) -> ApiResult {
    let acting = &person.acting;
    let account = accounts::find(companion.store.reader(), &acting.user.id).await?;
    let account = account.ok_or_else(ApiError::unauthorized)?;
    let mut members = logto_account::json(&account.user, account.last_sign_in_at());
    for (_, closed) in OPENED.iter().filter(|(scope, _)| !acting.scopes.contains(scope)) {
        for member in *closed {
            members.remove(*member);
        }
    }
    if !acting.scopes.contains(ADDRESS)
        && let Some(profile) = members.get_mut("profile").and_then(Value::as_object_mut)
    {
        profile.remove("address");
    }
    for not_the_persons in ["customData", "identities"] {
        members.remove(not_the_persons);
    }
    if acting.app.first_party {
        members.insert("hasPassword".to_owned(), json!(account.has_password));
    } else {
        members.retain(|member, _| !STATE.contains(&member.as_str()));
    }
    Ok(Json(members).into_response())
}

pub(super) async fn change_password(
    State(companion): State<Arc<Companion>>,
    person: Person,
    headers: HeaderMap,
    Body(new): Body<Password>,
) -> Response {
    off_the_serving_threads(async move { change(&companion, &person, &headers, &new).await.into_response() })
        .await
}

/// Sets it, and ends every session and token, this one too: the site has the person sign in with the new password
/// (SR-54, SR-72). A reset that came first wins.
async fn change(companion: &Companion, person: &Person, headers: &HeaderMap, new: &Password) -> ApiResult {
    person.check_first_party()?;
    let (user, now) = (&person.acting.user, companion.clock.now());
    let stored = credentials::find_password_hash(companion.store.reader(), &user.id).await?;
    let shown = stored.as_deref().unwrap_or_default();
    companion.verifications.check(headers, person, shown, now)?;
    let subject = Subject::new(user.id.clone());
    let allowed = companion.limiter.change_password(&subject, now).await?;
    allowed.map_err(ApiError::too_many_tries)?;
    let backend = &companion.backend;
    let replaced = StoredPassword { backend, subject };
    let phc = hash_new(companion, &new.password, &facts(user), &replaced).await?;
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let same = credentials::still_has_password(&mut tx, &user.id, stored.as_deref()).await?;
    let live = tokens::find_access(&mut *tx, &person.acting.digest, now).await?;
    if !same || live.is_none() {
        return Err(ApiError::unauthorized());
    }
    let change = Change {
        user,
        client_ip: &person.client_ip,
        user_agent: person.user_agent.as_deref(),
        by: Changer::Person,
        now,
    };
    backend.change_password(&mut tx, &change, &phc).await?;
    tx.commit().await?;
    companion.outbox.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}
