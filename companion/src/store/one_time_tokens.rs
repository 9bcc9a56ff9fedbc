//! One-time tokens of apps: each proves one e-mail address, once.

use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqliteExecutor};

use super::StoreError;

/// How long a token that has expired is known still, so that who brings it is told that it has.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What a token may be used for, in Logto's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum InteractionEvent {
    SignIn,
    Register,
    ForgotPassword,
}

/// Where a token stands, in Logto's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    Consumed,
    Revoked,
    /// It was never used, and its time is over.
    Expired,
}

/// A token as it rests: without the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub id: String,
    /// In its normal form.
    pub email: String,
    /// With none, it may be used for everything.
    pub interaction_event: Option<InteractionEvent>,
    pub status: Status,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Which tokens are listed.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Those of this address, in its normal form.
    pub email: Option<String>,
    pub status: Option<Status>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    email: String,
    interaction_event: Option<String>,
    status: String,
    created_at: i64,
    expires_at: i64,
}

impl InteractionEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "SignIn",
            Self::Register => "Register",
            Self::ForgotPassword => "ForgotPassword",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::SignIn, Self::Register, Self::ForgotPassword]
            .into_iter()
            .find(|event| event.as_str() == text)
    }
}

impl OneTimeToken {
    /// Whether it proves an address for a reset: the condition of [`consume_for_reset`], for who only looks.
    pub fn resets(&self, address: &Identifier) -> bool {
        self.status == Status::Active
            && self.email == address.as_str()
            && matches!(
                self.interaction_event,
                None | Some(InteractionEvent::ForgotPassword)
            )
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Consumed => "consumed",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl Row {
    fn load(self, now: Timestamp) -> Result<OneTimeToken, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt {
            table: "one_time_tokens",
            reason: format!("its {what} is none of ours"),
        };
        let interaction_event = self
            .interaction_event
            .map(|event| InteractionEvent::parse(&event).ok_or_else(|| corrupt("purpose")))
            .transpose()?;
        let expires_at = Timestamp::from_millis(self.expires_at);
        let status = match self.status.as_str() {
            "active" if now >= expires_at => Status::Expired,
            "active" => Status::Active,
            "consumed" => Status::Consumed,
            "revoked" => Status::Revoked,
            _ => return Err(corrupt("status")),
        };
        Ok(OneTimeToken {
            id: self.id,
            email: self.email,
            interaction_event,
            status,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at,
        })
    }
}

/// A statement that reads whole rows.
macro_rules! select_tokens {
    ($which:literal) => {
        concat!(
            "SELECT id, email, interaction_event, status, created_at, expires_at FROM one_time_tokens ",
            $which
        )
    };
}

/// The condition of [`Which`], with its parameters and the moment as the first three.
macro_rules! which {
    ($select:literal, $order:literal) => {
        concat!(
            $select,
            " FROM one_time_tokens WHERE ($1 IS NULL OR email = $1) AND ($2 IS NULL OR $2 = CASE WHEN status = 'active' AND \
             expires_at <= $3 THEN 'expired' ELSE status END)",
            $order
        )
    };
}

/// Writes a new token.
pub async fn add(
    db: impl SqliteExecutor<'_>,
    token: &OneTimeToken,
    digest: &SecretDigest,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO one_time_tokens (id, token_digest, email, interaction_event, status, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&token.id)
    .bind(text(digest))
    .bind(&token.email)
    .bind(token.interaction_event.map(InteractionEvent::as_str))
    .bind(token.status.as_str())
    .bind(token.created_at.as_millis())
    .bind(token.expires_at.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a token by its id.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    id: &str,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select_tokens!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| row.load(now)).transpose()
}

/// Finds the token that somebody brings, and leaves it as it is.
pub async fn find_brought(
    db: impl SqliteExecutor<'_>,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select_tokens!("WHERE token_digest = $1"))
        .bind(text(digest))
        .fetch_optional(db)
        .await?;
    row.map(|row| row.load(now)).transpose()
}

/// How many there are.
pub async fn count(db: impl SqliteExecutor<'_>, which: &Which, now: Timestamp) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(which!("SELECT COUNT(*)", ""))
        .bind(&which.email)
        .bind(which.status.map(Status::as_str))
        .bind(now.as_millis())
        .fetch_one(db)
        .await?)
}

/// A page of them, the newest first.
pub async fn page(
    db: impl SqliteExecutor<'_>,
    which: &Which,
    (offset, limit): (i64, i64),
    now: Timestamp,
) -> Result<Vec<OneTimeToken>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(which!(
        "SELECT id, email, interaction_event, status, created_at, expires_at",
        " ORDER BY created_at DESC, id LIMIT $4 OFFSET $5"
    ))
    .bind(&which.email)
    .bind(which.status.map(Status::as_str))
    .bind(now.as_millis())
    .bind(limit)
    .bind(offset)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| row.load(now)).collect()
}

/// Uses up a token that proves an address for a reset. One statement: of many at once one does it.
pub async fn consume_for_reset(
    db: impl SqliteExecutor<'_>,
    digest: &SecretDigest,
    address: &Identifier,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET status = 'consumed' WHERE token_digest = $1 AND email = $2 AND status = 'active' AND \
         expires_at > $3 AND (interaction_event IS NULL OR interaction_event = $4)",
    )
    .bind(text(digest))
    .bind(address.as_str())
    .bind(now.as_millis())
    .bind(InteractionEvent::ForgotPassword.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes an active token out of use, as used or as revoked. One statement: of many at once one does it.
pub async fn end(
    db: impl SqliteExecutor<'_>,
    id: &str,
    status: Status,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE one_time_tokens SET status = $2 WHERE id = $1 AND status = 'active' AND expires_at > $3",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes what was made for the address of an account (SR-24).
pub async fn revoke_of(db: impl SqliteExecutor<'_>, user_id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE one_time_tokens SET status = 'revoked' WHERE status = 'active' AND email = (SELECT email FROM users \
         WHERE id = $1)",
    )
    .bind(user_id)
    .execute(db)
    .await?;
    Ok(())
}

/// Revokes what was made for an address that an account has lost (SR-24).
pub async fn revoke_for(db: impl SqliteExecutor<'_>, email: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE one_time_tokens SET status = 'revoked' WHERE email = $1 AND status = 'active'")
        .bind(email)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets a token. Answers whether it was there.
pub async fn delete(db: impl SqliteExecutor<'_>, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM one_time_tokens WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets tokens that expired a while ago.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM one_time_tokens WHERE expires_at <= $1")
        .bind((now - KEPT).as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

fn text(digest: &SecretDigest) -> String {
    digest.clone().into()
}
