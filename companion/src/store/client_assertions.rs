//! Client assertions that were used (RFC 7523 3, number 7): each serves once.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::StoreError;

/// Uses an assertion. Of any number of requests with the same one, one is answered true.
pub async fn use_once(
    db: impl SqliteExecutor<'_>,
    client_id: &str,
    jti_digest: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO client_assertions (client_id, jti_digest, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (client_id, jti_digest) DO NOTHING",
    )
    .bind(client_id)
    .bind(jti_digest)
    .bind(expires_at.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets assertions that would no longer be taken anyway.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM client_assertions WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
