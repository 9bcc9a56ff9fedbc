//! Authorization requests that are too large for their cookie. Anybody can send these, so they are bounded.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{StoreError, Transaction};

/// Live rows at most. What doesn't fit is refused, never put in the place of another's.
pub const MOST: i64 = 2_000;

/// How writing a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Saved,
    /// [`MOST`] others are waiting.
    Full,
}

/// Writes a request.
pub async fn save(
    tx: &mut Transaction,
    id: &str,
    request: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Saved, StoreError> {
    sweep(&mut **tx, now).await?;
    let live: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM interactions")
        .fetch_one(&mut **tx)
        .await?;
    if live >= MOST {
        return Ok(Saved::Full);
    }
    sqlx::query("INSERT INTO interactions (id, request, expires_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(request)
        .bind(expires_at.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(Saved::Saved)
}

/// Finds a live request.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    id: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT request FROM interactions WHERE id = $1 AND expires_at > $2")
            .bind(id)
            .bind(now.as_millis())
            .fetch_optional(db)
            .await?,
    )
}

/// Forgets a request that has been answered.
pub async fn remove(db: impl SqliteExecutor<'_>, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM interactions WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets requests that have expired.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM interactions WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
