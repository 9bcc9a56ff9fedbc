//! The rows behind the limits: one integer per key. In the store, so that several processes count together.

use keyback_core::ports::{Failure, LimitStore};
use keyback_core::rate_limit::{Decision, LimitKey, LimitRule, TheoreticalArrival};
use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{Store, StoreError};

impl LimitStore for Store {
    async fn take(&self, key: &LimitKey, rule: LimitRule, now: Timestamp) -> Result<Decision, Failure> {
        take(self, &key.to_string(), rule, now)
            .await
            .map_err(|error| Failure::broken("ask a limit", error))
    }
}

/// Takes one from a key's limit. SQLite's one writer keeps reading and writing the row together.
async fn take(store: &Store, key: &str, rule: LimitRule, now: Timestamp) -> Result<Decision, StoreError> {
    let mut tx = store.begin().await?;
    let stored: Option<i64> = sqlx::query_scalar("SELECT tat FROM limits WHERE key = $1")
        .bind(key)
        .fetch_optional(&mut *tx)
        .await?;
    let stored = stored.map(TheoreticalArrival::from_micros);
    let (decision, next) = rule.take(stored, now);
    match next {
        Some(next) if Some(next) != stored => {
            sqlx::query(
                "INSERT INTO limits (key, tat) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat",
            )
            .bind(key)
            .bind(next.as_micros())
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        // A refusal writes nothing: a flood costs no disk.
        _ => tx.rollback().await?,
    }
    Ok(decision)
}

/// Forgets keys that are fresh again.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM limits WHERE tat <= $1")
        .bind(now.as_millis().saturating_mul(1_000))
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
