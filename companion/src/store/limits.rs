//! The rows behind the limits: one integer per key. In the store, so that several processes count together.

use std::collections::HashMap;

use keyback_core::ports::{Failure, LimitStore};
use keyback_core::rate_limit::{Decision, IdentifierHash, LimitKey, LimitRule, TheoreticalArrival};
use keyback_core::time::Timestamp;
use sqlx::{QueryBuilder, SqliteExecutor};

use super::{Store, StoreError, Transaction};
use crate::fail_point::{FailPoint, Write};

impl LimitStore for Store {
    async fn update<D: Send>(
        &self,
        keys: &[LimitKey],
        decide: impl FnOnce(&mut [Option<TheoreticalArrival>]) -> D + Send,
    ) -> Result<D, Failure> {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        update(self, &keys, decide)
            .await
            .map_err(|error| Failure::broken("ask the limits", error))
    }
}

/// SQLite's one writer keeps reading and writing the rows together.
async fn update<D: Send>(
    store: &Store,
    keys: &[String],
    decide: impl FnOnce(&mut [Option<TheoreticalArrival>]) -> D + Send,
) -> Result<D, StoreError> {
    // What a power cut forgets here is forgotten as if some time had passed.
    let mut tx = store.begin_quick().await?;
    let mut find = QueryBuilder::new("SELECT key, tat FROM limits WHERE key IN (");
    let mut places = find.separated(", ");
    for key in keys {
        places.push_bind(key);
    }
    find.push(")");
    let kept: HashMap<String, i64> = find
        .build_query_as()
        .fetch_all(&mut *tx)
        .await?
        .into_iter()
        .collect();
    let before: Vec<_> = keys
        .iter()
        .map(|key| kept.get(key).copied().map(TheoreticalArrival::from_micros))
        .collect();
    let mut rows = before.clone();
    let decision = decide(&mut rows);
    let changed: Vec<_> = keys
        .iter()
        .zip(before.iter().zip(&rows))
        .filter_map(|(key, (before, row))| row.filter(|_| row != before).map(|row| (key, row)))
        .collect();
    if changed.is_empty() {
        // A refusal writes nothing: a flood costs no disk.
        tx.rollback().await?;
    } else {
        let mut write = QueryBuilder::new("INSERT INTO limits (key, tat) ");
        write
            .push_values(changed, |mut row, (key, tat)| {
                row.push_bind(key).push_bind(tat.as_micros());
            })
            .push(" ON CONFLICT (key) DO UPDATE SET tat = excluded.tat");
        FailPoint::BeforeCommit(Write::Limits).reach();
        tx.commit_with(write.build()).await?;
        FailPoint::AfterCommit(Write::Limits).reach();
    }
    Ok(decision)
}

/// Takes one from a key, in a transaction of the caller's.
pub async fn take(
    tx: &mut Transaction,
    key: &LimitKey,
    rule: LimitRule,
    now: Timestamp,
) -> Result<Decision, StoreError> {
    let key = key.to_string();
    let stored: Option<i64> = sqlx::query_scalar("SELECT tat FROM limits WHERE key = $1")
        .bind(&key)
        .fetch_optional(&mut **tx)
        .await?;
    let (decision, next) = rule.take(stored.map(TheoreticalArrival::from_micros), now);
    if decision == Decision::Allowed {
        sqlx::query(
            "INSERT INTO limits (key, tat) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat",
        )
        .bind(&key)
        .bind(next.map(TheoreticalArrival::as_micros))
        .execute(&mut **tx)
        .await?;
    }
    Ok(decision)
}

/// Ends the run of wrong codes for an identifier: its owner has shown a right one.
pub async fn end_guesses(db: impl SqliteExecutor<'_>, identifier: IdentifierHash) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM limits WHERE key = $1")
        .bind(LimitKey::IdentifierGuesses(identifier).to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets keys that are fresh again.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM limits WHERE tat <= $1")
        .bind(now.as_millis().saturating_mul(1_000))
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
