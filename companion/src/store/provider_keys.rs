//! The provider's signing keys. The private halves rest sealed by the root key.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::{StoreError, Transaction};

/// A signing key as it rests.
#[derive(Clone, FromRow)]
pub struct KeyRow {
    pub kid: String,
    /// `ES384` or `RS256`.
    pub algorithm: String,
    /// The sealed PKCS #8 document; none once the key no longer signs.
    pub sealed: Option<String>,
    /// The public half as a JWK (RFC 7517).
    pub public_jwk: String,
    created_at: i64,
    signs_from: i64,
    leaves_at: Option<i64>,
}

impl KeyRow {
    /// A new key, the last of its line.
    pub fn new(
        kid: String,
        algorithm: &str,
        sealed: String,
        public_jwk: String,
        created_at: Timestamp,
        signs_from: Timestamp,
    ) -> Self {
        Self {
            kid,
            algorithm: algorithm.to_owned(),
            sealed: Some(sealed),
            public_jwk,
            created_at: created_at.as_millis(),
            signs_from: signs_from.as_millis(),
            leaves_at: None,
        }
    }

    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at)
    }

    /// The key signs from here on, until a younger one does.
    pub fn signs_from(&self) -> Timestamp {
        Timestamp::from_millis(self.signs_from)
    }

    /// The key leaves the published key set here.
    pub fn leaves_at(&self) -> Option<Timestamp> {
        self.leaves_at.map(Timestamp::from_millis)
    }
}

/// All keys, the youngest first.
pub async fn list(db: impl SqliteExecutor<'_>) -> Result<Vec<KeyRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT kid, algorithm, sealed, public_jwk, created_at, signs_from, leaves_at FROM provider_keys \
         ORDER BY signs_from DESC, leaves_at IS NULL DESC, created_at DESC, kid",
    )
    .fetch_all(db)
    .await?)
}

/// Adds the first key of an algorithm. Answers false where another start was faster: then its key counts.
pub async fn add_first(db: impl SqliteExecutor<'_>, key: &KeyRow) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO provider_keys (kid, algorithm, sealed, public_jwk, created_at, signs_from) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(&key.kid)
    .bind(&key.algorithm)
    .bind(&key.sealed)
    .bind(&key.public_jwk)
    .bind(key.created_at)
    .bind(key.signs_from)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts `key` in the place of the last of its line, which leaves the key set at `old_leaves_at`.
pub async fn succeed(tx: &mut Transaction, key: &KeyRow, old_leaves_at: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE provider_keys SET leaves_at = $2 WHERE algorithm = $1 AND leaves_at IS NULL")
        .bind(&key.algorithm)
        .bind(old_leaves_at.as_millis())
        .execute(&mut **tx)
        .await?;
    add_first(&mut **tx, key).await?;
    Ok(())
}

/// Puts `keys` in the place of all that are there, of whatever age: none of those is known any more.
pub async fn replace_all(tx: &mut Transaction, keys: &[KeyRow]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM provider_keys")
        .execute(&mut **tx)
        .await?;
    for key in keys {
        add_first(&mut **tx, key).await?;
    }
    Ok(())
}

/// Erases the private halves of keys that have left, and forgets keys that left before `forget_before`.
pub async fn sweep(
    tx: &mut Transaction,
    now: Timestamp,
    forget_before: Timestamp,
) -> Result<u64, StoreError> {
    sqlx::query("UPDATE provider_keys SET sealed = NULL WHERE leaves_at <= $1 AND sealed IS NOT NULL")
        .bind(now.as_millis())
        .execute(&mut **tx)
        .await?;
    let done = sqlx::query("DELETE FROM provider_keys WHERE leaves_at <= $1")
        .bind(forget_before.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
