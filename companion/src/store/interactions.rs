//! Authorization requests that are too large for their cookie. Anybody can send these, so they are bounded: those that
//! browsers bring share one quota, those that an app has pushed have the app's own.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{StoreError, Transaction};

/// Live rows of a quota at most. What doesn't fit is refused, never put in the place of another's.
pub const MOST: i64 = 2_000;

/// How writing a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Saved,
    /// [`MOST`] others of the quota are waiting.
    Full,
}

/// A request as it is written.
#[derive(Clone, Debug)]
pub struct NewInteraction<'a> {
    pub id: &'a str,
    /// The checked request, as JSON.
    pub request: &'a str,
    /// The app that has pushed it; none: a browser has brought it.
    pub pushed_by: Option<&'a str>,
    pub expires_at: Timestamp,
}

/// Writes a request.
pub async fn save(
    tx: &mut Transaction,
    new: &NewInteraction<'_>,
    now: Timestamp,
) -> Result<Saved, StoreError> {
    sweep(&mut **tx, now).await?;
    // No app has the empty id: it stands for what browsers bring.
    let quota = new.pushed_by.unwrap_or_default();
    let live: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM interactions WHERE quota = $1")
        .bind(quota)
        .fetch_one(&mut **tx)
        .await?;
    if live >= MOST {
        return Ok(Saved::Full);
    }
    sqlx::query("INSERT INTO interactions (id, request, quota, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(new.id)
        .bind(new.request)
        .bind(quota)
        .bind(new.expires_at.as_millis())
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
