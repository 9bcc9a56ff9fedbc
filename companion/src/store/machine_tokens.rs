//! Access tokens of apps that act for themselves (RFC 6749 4.4): rows of their own, since no person and no grant
//! stands behind them.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::StoreError;
use super::tokens::{AccessToken, NewAccessToken};

/// A live token.
#[derive(Clone, Debug, FromRow)]
pub struct MachineTokenRow {
    pub client_id: String,
    #[sqlx(flatten)]
    pub token: AccessToken,
}

/// Writes a token of an app.
pub async fn add(
    db: impl SqliteExecutor<'_>,
    client_id: &str,
    token: &NewAccessToken<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO machine_tokens (digest, client_id, scope, resource, issued_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.digest)
    .bind(client_id)
    .bind(token.scope)
    .bind(token.resource)
    .bind(now.as_millis())
    .bind(token.expires_at.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a live token.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    digest: &str,
    now: Timestamp,
) -> Result<Option<MachineTokenRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT client_id, scope, resource, issued_at, expires_at FROM machine_tokens \
         WHERE digest = $1 AND expires_at > $2",
    )
    .bind(digest)
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Revokes one token.
pub async fn revoke(db: impl SqliteExecutor<'_>, digest: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM machine_tokens WHERE digest = $1")
        .bind(digest)
        .execute(db)
        .await?;
    Ok(())
}

/// Revokes all tokens of an app.
pub async fn revoke_app(db: impl SqliteExecutor<'_>, client_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM machine_tokens WHERE client_id = $1")
        .bind(client_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets tokens that have expired.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM machine_tokens WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
