//! Access and refresh tokens: random, or signed, and resting as digests.

use keyback_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{FromRow, Sqlite, SqliteExecutor};

use super::StoreError;
use super::granted::{Granted, granted_columns};

/// What a live access token is, whoever acts by it.
#[derive(Clone, Debug, FromRow)]
pub struct AccessToken {
    pub scope: String,
    /// The resource a JWT is for; none is an opaque token for the provider itself.
    pub resource: Option<String>,
    issued_at: i64,
    expires_at: i64,
}

impl AccessToken {
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// A live access token with the grant it hangs on.
#[derive(Clone, Debug, FromRow)]
pub struct AccessTokenRow {
    pub grant_id: String,
    pub user_id: String,
    pub client_id: String,
    pub session_id: String,
    #[sqlx(flatten)]
    pub token: AccessToken,
    auth_time: i64,
    pub amr: String,
    /// The claims asked for by name, as JSON.
    pub claims: Option<String>,
}

impl AccessTokenRow {
    pub fn auth_time(&self) -> Timestamp {
        Timestamp::from_millis(self.auth_time)
    }
}

/// A refresh token with the grant it hangs on, which is its family.
#[derive(Clone, Debug, FromRow)]
pub struct RefreshTokenRow {
    #[sqlx(flatten)]
    pub granted: Granted,
    issued_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    /// The sealed answer its use was given; none once the successor is used.
    pub answer: Option<String>,
}

impl RefreshTokenRow {
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }

    /// When it was exchanged for its successor, if it was.
    pub fn used_at(&self) -> Option<Timestamp> {
        self.used_at.map(Timestamp::from_millis)
    }
}

/// An access token to write.
#[derive(Clone, Debug)]
pub struct NewAccessToken<'a> {
    pub digest: &'a str,
    pub scope: &'a str,
    pub resource: Option<&'a str>,
    pub expires_at: Timestamp,
}

/// A refresh token to write.
#[derive(Clone, Copy, Debug)]
pub struct NewRefreshToken<'a> {
    pub digest: &'a str,
    pub expires_at: Timestamp,
}

/// The tokens of a grant. Behind another statement they are written where that has changed its one row.
macro_rules! insert_tokens {
    ($and:literal) => {
        concat!(
            "INSERT INTO access_tokens (digest, grant_id, scope, resource, issued_at, expires_at) \
             SELECT $1, id, $3, $4, $5, $6 FROM grants WHERE id = $2",
            $and,
            "; INSERT INTO refresh_tokens (digest, grant_id, issued_at, expires_at) \
             SELECT $7, id, $5, $8 FROM grants WHERE id = $2 AND $7 IS NOT NULL AND changes() = 1",
        )
    };
}

pub(super) use insert_tokens;

/// The tokens of one answer.
#[derive(Clone, Debug)]
pub struct NewTokens<'a> {
    pub grant_id: &'a str,
    pub access: NewAccessToken<'a>,
    pub refresh: Option<NewRefreshToken<'a>>,
}

impl<'a> NewTokens<'a> {
    pub(super) fn rows(&self) -> u64 {
        1 + u64::from(self.refresh.is_some())
    }

    /// The parameters of a statement that holds [`insert_tokens`].
    pub(super) fn insert(&self, sql: &'static str, now: Timestamp) -> Query<'a, Sqlite, SqliteArguments> {
        sqlx::query(sql)
            .bind(self.access.digest)
            .bind(self.grant_id)
            .bind(self.access.scope)
            .bind(self.access.resource)
            .bind(now.as_millis())
            .bind(self.access.expires_at.as_millis())
            .bind(self.refresh.map(|refresh| refresh.digest))
            .bind(self.refresh.map(|refresh| refresh.expires_at.as_millis()))
    }
}

/// Writes the tokens that a grant gives in one answer. Answers false where that has been revoked meanwhile.
pub async fn add(
    tx: &mut super::Transaction,
    tokens: &NewTokens<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = tokens.insert(insert_tokens!(""), now).execute(&mut **tx).await?;
    Ok(done.rows_affected() == tokens.rows())
}

/// Finds a live access token.
pub async fn find_access(
    db: impl SqliteExecutor<'_>,
    digest: &str,
    now: Timestamp,
) -> Result<Option<AccessTokenRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT g.id AS grant_id, g.user_id, g.client_id, g.session_id, t.scope, t.resource, g.auth_time, \
         g.amr, g.claims, t.issued_at, t.expires_at FROM access_tokens t JOIN grants g ON g.id = t.grant_id \
         WHERE t.digest = $1 AND t.expires_at > $2",
    )
    .bind(digest)
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Revokes one access token.
pub async fn revoke_access(db: impl SqliteExecutor<'_>, digest: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM access_tokens WHERE digest = $1")
        .bind(digest)
        .execute(db)
        .await?;
    Ok(())
}

/// Finds a refresh token, used and expired ones too: reuse must be seen.
pub async fn find_refresh(
    db: impl SqliteExecutor<'_>,
    digest: &str,
) -> Result<Option<RefreshTokenRow>, StoreError> {
    Ok(sqlx::query_as(concat!(
        "SELECT ",
        granted_columns!(),
        ", t.issued_at, t.expires_at, t.used_at, t.answer \
         FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.digest = $1",
    ))
    .bind(digest)
    .fetch_optional(db)
    .await?)
}

/// Whether a refresh token of a grant was used: then the answer that brought it has arrived.
pub async fn has_refreshed(db: impl SqliteExecutor<'_>, grant_id: &str) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM refresh_tokens WHERE grant_id = $1 AND used_at IS NOT NULL LIMIT 1",
    )
    .bind(grant_id)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Uses a refresh token, keeping the sealed answer for a repeat. Of any number of requests at once, one is
/// answered true. Answers kept for its predecessors go: this use shows that theirs has arrived.
pub async fn consume_refresh(
    tx: &mut super::Transaction,
    digest: &str,
    grant_id: &str,
    answer: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE refresh_tokens SET used_at = $2, answer = $3 \
         WHERE digest = $1 AND used_at IS NULL AND expires_at > $2",
    )
    .bind(digest)
    .bind(now.as_millis())
    .bind(answer)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query("UPDATE refresh_tokens SET answer = NULL WHERE grant_id = $1 AND digest <> $2")
        .bind(grant_id)
        .bind(digest)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// Forgets tokens that have expired, and answers kept for repeats that can no longer come.
pub async fn sweep(
    tx: &mut super::Transaction,
    now: Timestamp,
    repeats_before: Timestamp,
) -> Result<u64, StoreError> {
    let access = sqlx::query("DELETE FROM access_tokens WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(&mut **tx)
        .await?;
    let refresh = sqlx::query("DELETE FROM refresh_tokens WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE refresh_tokens SET answer = NULL WHERE answer IS NOT NULL AND used_at < $1")
        .bind(repeats_before.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(access.rows_affected() + refresh.rows_affected())
}
