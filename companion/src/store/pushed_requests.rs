//! Pushed authorization requests (RFC 9126): written by apps, taken once by the browser they were meant for.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{StoreError, Transaction};

/// Live rows of one app at most. Apps without a secret let anybody push, each client address so often: with more, the
/// app's oldest goes, which has had the longest time to be used. A flood so costs no other app anything, and its own
/// app little.
pub const MOST_PER_APP: i64 = 2_000;

/// A request as it is pushed.
#[derive(Clone, Debug)]
pub struct NewPushedRequest<'a> {
    pub digest: &'a str,
    pub client_id: &'a str,
    /// The checked request, as JSON.
    pub request: &'a str,
    pub expires_at: Timestamp,
}

/// Writes a request, and forgets what has expired and what is too much.
pub async fn add(tx: &mut Transaction, new: &NewPushedRequest<'_>, now: Timestamp) -> Result<(), StoreError> {
    sweep(&mut **tx, now).await?;
    sqlx::query(
        "DELETE FROM pushed_requests WHERE client_id = $1 AND expires_at <= (SELECT expires_at FROM \
         pushed_requests WHERE client_id = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)",
    )
    .bind(new.client_id)
    .bind(MOST_PER_APP - 1)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO pushed_requests (digest, client_id, request, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(new.digest)
    .bind(new.client_id)
    .bind(new.request)
    .bind(new.expires_at.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes an app's request away. Of any number of browsers at once, one gets it.
pub async fn take(
    db: impl SqliteExecutor<'_>,
    digest: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "DELETE FROM pushed_requests WHERE digest = $1 AND client_id = $2 AND expires_at > $3 RETURNING request",
    )
    .bind(digest)
    .bind(client_id)
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Forgets requests that have expired.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM pushed_requests WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
