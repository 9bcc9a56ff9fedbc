//! `/api/users`: the accounts by pages, and new ones.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use keyback_core::ids::Subject;
use keyback_core::password::{NoPassword, UserFacts};
use keyback_core::random::short_id;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::SqliteExecutor;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Operator;
use super::details::{Details, Person};
use super::error::{ApiError, ApiResult};
use super::search::Search;
use super::user_password::hash_new;
use crate::app::Companion;
use crate::config::webhook::WebhookEvent;
use crate::logto_account;
use crate::pages::off_the_serving_threads;
use crate::store::accounts::{self, Account};
use crate::store::users::{self, Added, NewUser};
use crate::store::{StoreError, audit, credentials};
use crate::webhooks::ApiCall;

const ADD: ApiCall = ApiCall {
    method: "POST",
    route: "/users",
    status: 200,
    event: WebhookEvent::UserCreated,
};

/// The members of a new account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct New {
    #[serde(flatten)]
    details: Details,
    password: Option<Zeroizing<String>>,
    password_digest: Option<Value>,
}

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let Search { which, page } = Search::parse(query.as_deref().unwrap_or_default())?;
    let db = companion.store.reader();
    let total = accounts::count(db, &which).await?;
    let found = accounts::page(db, &which, page.offset(), page.limit()).await?;
    let found: Vec<_> = found.iter().map(shown).collect();
    let mut asked = companion.public_url.clone();
    asked.set_path("/api/users");
    asked.set_query(query.as_deref());
    Ok((page.headers(&asked, total), Json(found)).into_response())
}

pub(super) async fn post(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Body(new): Body<New>,
) -> Response {
    off_the_serving_threads(async move { add(&companion, &operator, new).await.into_response() }).await
}

/// The operator vouches for the addresses. A password passes the policy; without one, a reset sets the first.
async fn add(companion: &Companion, operator: &Operator, new: New) -> ApiResult {
    if new.password_digest.is_some() {
        return Err(ApiError::invalid_input(
            "Hashes come by `keyback user import`, which checks them: leave passwordDigest out.",
        ));
    }
    let person = Person::default().with(new.details, companion.config.sms.default_region)?;
    let phc = match &new.password {
        None => None,
        Some(password) => {
            let facts = UserFacts {
                name: person.name.clone(),
                username: person.username.clone(),
                email: person.email.clone(),
                phone: person.phone.clone(),
            };
            Some(hash_new(companion, password, &facts, &NoPassword).await?)
        }
    };
    let id = Subject::new(short_id(companion.random.as_ref()));
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    person.check_free(&mut tx, id.as_str()).await?;
    let row = NewUser {
        id: id.as_str().to_owned(),
        username: person.username,
        email: person.email,
        phone: person.phone,
        name: person.name,
        profile: person.profile,
        verified: true,
    };
    if users::add(&mut *tx, &row, now).await? == Added::Taken {
        return Err(ApiError::failed(StoreError::Corrupt {
            table: "users",
            reason: "an id was drawn that is there already".to_owned(),
        }));
    }
    if let Some(phc) = phc {
        credentials::save_password_hash(&mut *tx, &row.id, &phc, now).await?;
    }
    let line = operator.line("user_added", &row.id, now);
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    let account = accounts::find(&mut *tx, &row.id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let changed = operator.change(&account.user, ADD, now);
    companion.webhooks.account_changed(&mut tx, changed).await?;
    tx.commit().await?;
    companion.outbox.wake();
    Ok(Json(shown(&account)).into_response())
}

/// The account of an id, or the refusal that there is none.
pub(super) async fn account(db: impl SqliteExecutor<'_>, id: &str) -> Result<Account, ApiError> {
    accounts::find(db, id).await?.ok_or_else(ApiError::not_found)
}

/// An account as the API shows it.
pub(super) fn shown(account: &Account) -> Value {
    let mut members = logto_account::json(&account.user, account.last_sign_in_at());
    members.insert("hasPassword".to_owned(), json!(account.has_password));
    Value::Object(members)
}
