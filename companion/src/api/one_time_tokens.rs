//! `/api/one-time-tokens`: tokens that a site's server makes for an e-mail address, and sends there in a link of its own.
//! What rests is a digest, so that a token is shown once: where it is made.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use keyback_core::identifier::Identifier;
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sqlx::SqliteExecutor;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use super::paging::Page;
use crate::app::Companion;
use crate::http::forms::Pairs;
use crate::secrets::{random_id, random_token};
use crate::store::one_time_tokens::{self as rows, InteractionEvent, OneTimeToken, Status, Which};
use crate::store::{Transaction, audit};

/// As Logto's.
const LIFE_SECONDS: u64 = 600;
/// A day: what is sent by mail proves an address no longer (NIST SP 800-63B-4).
const LONGEST_SECONDS: u64 = 86_400;

/// The members of a new token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct New {
    email: String,
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "unless_null")]
    context: Context,
}

/// What it may be used for. There are no organizations here, so what Logto has of them is left out.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    interaction_event: Option<InteractionEvent>,
}

/// A token that somebody brought to the site.
#[derive(Deserialize)]
pub(super) struct Brought {
    token: Zeroizing<String>,
    email: String,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    status: Status,
}

pub(super) async fn post(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Body(new): Body<New>,
) -> ApiResult {
    let email = address(&new.email)?;
    let seconds = new.expires_in.unwrap_or(LIFE_SECONDS);
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        return Err(ApiError::invalid_input(
            "expiresIn is a whole number of seconds, from 1 to 86400.",
        ));
    }
    let (random, now) = (companion.random.as_ref(), companion.clock.now());
    let text = Zeroizing::new(random_token(random));
    let token = OneTimeToken {
        id: random_id(random),
        email: email.as_str().to_owned(),
        interaction_event: new.context.interaction_event,
        status: Status::Active,
        created_at: now,
        expires_at: now + Duration::from_secs(seconds),
    };
    let mut tx = companion.store.begin().await?;
    rows::add(&mut *tx, &token, &SecretDigest::of_text(&text)).await?;
    tell(
        &companion,
        &mut *tx,
        &operator,
        "one_time_token_created",
        &email,
        now,
    )
    .await?;
    tx.commit().await?;
    let mut body = shown(&token);
    body["token"] = json!(&*text);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(super) async fn list(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let (which, page) = search(query.as_deref().unwrap_or_default())?;
    let (db, now) = (companion.store.reader(), companion.clock.now());
    let total = rows::count(db, &which, now).await?;
    let found = rows::page(db, &which, (page.offset(), page.limit()), now).await?;
    let found: Vec<_> = found.iter().map(shown).collect();
    let mut asked = companion.public_url.clone();
    asked.set_path("/api/one-time-tokens");
    asked.set_query(query.as_deref());
    Ok((page.headers(&asked, total), Json(found)).into_response())
}

pub(super) async fn get(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let found = rows::find(companion.store.reader(), &id, companion.clock.now()).await?;
    Ok(Json(shown(&found.ok_or_else(ApiError::not_found)?)).into_response())
}

pub(super) async fn delete(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
) -> ApiResult {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let found = rows::find(&mut *tx, &id, now).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    rows::delete(&mut *tx, &id).await?;
    let email = address(&token.email)?;
    tell(
        &companion,
        &mut *tx,
        &operator,
        "one_time_token_deleted",
        &email,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revokes a token, or says that it was used. None is made active again.
pub(super) async fn put_status(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Path(id): Path<String>,
    Body(Ended { status }): Body<Ended>,
) -> ApiResult {
    let event = match status {
        Status::Consumed => "one_time_token_consumed",
        Status::Revoked => "one_time_token_revoked",
        Status::Active => {
            return Err(ApiError::bad_request(
                "one_time_token.cannot_reactivate_token",
                "A token that is over stays so: make another.",
            ));
        }
        Status::Expired => {
            return Err(ApiError::invalid_input(
                "A token expires by itself; before its time it is revoked.",
            ));
        }
    };
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let found = rows::find(&mut *tx, &id, now).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    end(&companion, tx, &operator, token, (status, event), now).await
}

/// Uses up a token that somebody brought to a page of the site's own.
pub(super) async fn verify(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Body(Brought { token, email }): Body<Brought>,
) -> ApiResult {
    let (digest, now) = (SecretDigest::of_text(&token), companion.clock.now());
    let mut tx = companion.store.begin().await?;
    let found = rows::find_brought(&mut *tx, &digest, now).await?;
    let token = found.ok_or_else(unknown)?;
    // Addresses here have one form, so the spelling makes no difference.
    if address(&email).ok().as_ref().map(Identifier::as_str) != Some(&*token.email) {
        return Err(ApiError::bad_request(
            "one_time_token.email_mismatch",
            "The token was made for another address.",
        ));
    }
    let how = (Status::Consumed, "one_time_token_consumed");
    end(&companion, tx, &operator, token, how, now).await
}

/// Ends an active token; of one that is not, tells why.
async fn end(
    companion: &Companion,
    mut tx: Transaction,
    operator: &Operator,
    token: OneTimeToken,
    (status, event): (Status, &'static str),
    now: Timestamp,
) -> ApiResult {
    if !rows::end(&mut *tx, &token.id, status, now).await? {
        return Err(over(token.status));
    }
    let email = address(&token.email)?;
    tell(companion, &mut *tx, operator, event, &email, now).await?;
    tx.commit().await?;
    Ok(Json(shown(&OneTimeToken { status, ..token })).into_response())
}

/// Tells the audit trail what the app did. Whether the address is anybody's is not looked up.
async fn tell(
    companion: &Companion,
    db: impl SqliteExecutor<'_>,
    operator: &Operator,
    event: &'static str,
    email: &Identifier,
    now: Timestamp,
) -> Result<(), ApiError> {
    let hash = companion.identifiers.hash(email);
    let mut line = operator.line(event, "", now);
    line.subject = None;
    line.identifier = Some(hash.as_str());
    Ok(audit::write(db, companion.random.as_ref(), &line).await?)
}

fn address(typed: &str) -> Result<Identifier, ApiError> {
    let read = Identifier::parse(typed).ok();
    read.filter(|found| matches!(found, Identifier::Email(_)))
        .ok_or_else(|| ApiError::invalid_input("A token is for an email such as ada@example.com."))
}

fn unknown() -> ApiError {
    ApiError::refused(
        StatusCode::NOT_FOUND,
        "one_time_token.token_not_found",
        "There is no such token (any more).",
    )
}

/// Why a token does not serve.
fn over(status: Status) -> ApiError {
    match status {
        Status::Consumed => ApiError::bad_request("one_time_token.token_consumed", "The token was used."),
        Status::Revoked => ApiError::bad_request("one_time_token.token_revoked", "The token was revoked."),
        Status::Active | Status::Expired => {
            ApiError::bad_request("one_time_token.token_expired", "The token has expired.")
        }
    }
}

/// A token as the API shows it. The tenant is the one that a self-hosted Logto has.
fn shown(token: &OneTimeToken) -> Value {
    let context = match token.interaction_event {
        Some(event) => json!({ "interactionEvent": event }),
        None => json!({}),
    };
    json!({
        "tenantId": "default",
        "id": token.id,
        "email": token.email,
        "context": context,
        "status": token.status,
        "createdAt": token.created_at.as_millis(),
        "expiresAt": token.expires_at.as_millis(),
    })
}

fn search(query: &str) -> Result<(Which, Page), ApiError> {
    let pairs = Pairs::parse(query.as_bytes(), |_, _| true)
        .map_err(|_| ApiError::invalid_input("The query can't be read."))?;
    let (mut which, mut page) = (Which::default(), Page::default());
    for (name, value) in pairs.iter() {
        match name {
            "email" => which.email = Some(address(value)?.as_str().to_owned()),
            "status" => {
                let status = serde_json::from_value(json!(value)).map_err(|_| {
                    ApiError::invalid_input("status is one of active, consumed, revoked and expired.")
                })?;
                which.status = Some(status);
            }
            _ => {
                page.read(name, value)?;
            }
        }
    }
    Ok((which, page))
}

fn unless_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
