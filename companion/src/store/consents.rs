//! Consents: what people allowed apps of others. They outlive the grants, so that nobody is asked twice for the same.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::grants::{self, RevokedApps};
use super::{StoreError, Transaction};

/// What a person allowed an app.
#[derive(Clone, Debug, FromRow)]
pub struct ConsentRow {
    pub client_id: String,
    /// The permissions, as JSON.
    pub allowed: String,
    given_at: i64,
    updated_at: i64,
}

impl ConsentRow {
    /// When the app was first allowed anything.
    pub fn given_at(&self) -> Timestamp {
        Timestamp::from_millis(self.given_at)
    }

    /// When something was last allowed.
    pub fn updated_at(&self) -> Timestamp {
        Timestamp::from_millis(self.updated_at)
    }
}

/// What was taken from an app.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// Whether there was a consent.
    pub consent: bool,
    /// The app, with the sessions that it took part in.
    pub revoked: RevokedApps,
}

impl Withdrawn {
    /// Whether the app had anything.
    pub fn is_something(&self) -> bool {
        self.consent || !self.revoked.apps.is_empty()
    }
}

/// Finds a person's consent for an app.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    client_id: &str,
) -> Result<Option<ConsentRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT client_id, allowed, given_at, updated_at FROM consents WHERE user_id = $1 AND client_id = $2",
    )
    .bind(user_id)
    .bind(client_id)
    .fetch_optional(db)
    .await?)
}

/// All consents of a person, the latest first.
pub async fn list(db: impl SqliteExecutor<'_>, user_id: &str) -> Result<Vec<ConsentRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT client_id, allowed, given_at, updated_at FROM consents WHERE user_id = $1 \
         ORDER BY updated_at DESC, client_id",
    )
    .bind(user_id)
    .fetch_all(db)
    .await?)
}

/// Writes what a person allows an app from now on.
pub async fn save(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    client_id: &str,
    allowed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO consents (user_id, client_id, allowed, given_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT (user_id, client_id) DO UPDATE SET allowed = excluded.allowed, updated_at = excluded.updated_at",
    )
    .bind(user_id)
    .bind(client_id)
    .bind(allowed)
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Withdraws a person's consent for an app, and ends all that the app holds for them: offline grants too. Of an app of
/// one's own, which has no consent, it ends what it holds.
pub async fn withdraw(
    tx: &mut Transaction,
    user_id: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<Withdrawn, StoreError> {
    let consents = sqlx::query("DELETE FROM consents WHERE user_id = $1 AND client_id = $2")
        .bind(user_id)
        .bind(client_id)
        .execute(&mut **tx)
        .await?;
    Ok(Withdrawn {
        consent: consents.rows_affected() > 0,
        revoked: grants::revoke_app(tx, user_id, client_id, now).await?,
    })
}

/// Forgets all that a person allowed: for the transaction that cuts an account off. Whoever had the account may have
/// allowed things, too.
pub async fn forget_user(db: impl SqliteExecutor<'_>, user_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM consents WHERE user_id = $1")
        .bind(user_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets all that was allowed an app, with the app.
pub async fn forget_app(db: impl SqliteExecutor<'_>, client_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM consents WHERE client_id = $1")
        .bind(client_id)
        .execute(db)
        .await?;
    Ok(())
}
