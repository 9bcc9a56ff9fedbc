//! The links that freeze an account: one for each notice of a changed password or address (SR-59).

use keyback_core::secret::{FreezeToken, SecretDigest};
use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::StoreError;
use super::account_status::AccountStatus;

/// A link that still works.
#[derive(Clone, Debug, FromRow)]
pub struct FreezeLink {
    pub user_id: String,
    changed_at: i64,
}

impl FreezeLink {
    /// When the change was made.
    pub fn changed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.changed_at)
    }
}

/// Writes the link of a change.
pub async fn add(
    db: impl SqliteExecutor<'_>,
    token: &FreezeToken,
    user_id: &str,
    changed_at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO freeze_links (token_digest, user_id, changed_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(digest_text(token.digest()))
    .bind(user_id)
    .bind(changed_at.as_millis())
    .bind(expires_at.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Finds the link of a token, and leaves it as it is.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    token: &FreezeToken,
    now: Timestamp,
) -> Result<Option<FreezeLink>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT user_id, changed_at FROM freeze_links WHERE token_digest = $1 AND expires_at > $2",
    )
    .bind(digest_text(token.digest()))
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Uses a link up. One statement: of many at once one has it.
pub async fn consume(
    db: impl SqliteExecutor<'_>,
    token: &FreezeToken,
    now: Timestamp,
) -> Result<Option<FreezeLink>, StoreError> {
    Ok(sqlx::query_as(
        "DELETE FROM freeze_links WHERE token_digest = $1 AND expires_at > $2 RETURNING user_id, changed_at",
    )
    .bind(digest_text(token.digest()))
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Forgets those of a frozen account that contest what its freeze contests, or what came after: a thaw settles that, unless a
/// lost address still serves, whose owner may have no other way back.
pub(super) async fn forget_settled(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM freeze_links WHERE user_id = $1 AND changed_at >= \
         (SELECT contested_at FROM users WHERE id = $1 AND status = $2) AND NOT EXISTS \
         (SELECT 1 FROM former_addresses WHERE user_id = $1 AND expires_at > $3)",
    )
    .bind(user_id)
    .bind(AccountStatus::Frozen.as_str())
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets all of an account: what they contest is settled.
pub async fn forget_all(db: impl SqliteExecutor<'_>, user_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM freeze_links WHERE user_id = $1")
        .bind(user_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets links that are too old.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM freeze_links WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

fn digest_text(digest: SecretDigest) -> String {
    digest.into()
}
