//! Answers to captchas that were used: each serves once (SR-13), though a provider should see to that too.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::StoreError;

/// Uses an answer, by its keyed digest. Of any number of requests with the same one, one is answered true.
pub async fn use_once(
    db: impl SqliteExecutor<'_>,
    digest: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO captcha_answers (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest)
    .bind(expires_at.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets answers that no provider takes any more.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM captcha_answers WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
