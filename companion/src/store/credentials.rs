//! The passwords of accounts, as hashes: rows of the embedded backend.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::account_status::AccountStatus;
use super::{StoreError, Transaction};

/// The PHC string of an account's password hash, if it has a password.
pub async fn find_password_hash(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT password_hash FROM credentials WHERE user_id = $1")
            .bind(id)
            .fetch_optional(db)
            .await?,
    )
}

/// Whether an account may sign in and its password still the one that was checked before this transaction; with none,
/// whether it has none still.
///
/// Checking a password takes long; a reset may have replaced it meanwhile. What follows from the check must ask
/// this inside the transaction that it writes in, or it would undo the reset (SR-53, SR-54). A session asks where it begins.
pub async fn still_has_password(
    tx: &mut Transaction,
    id: &str,
    phc: Option<&str>,
) -> Result<bool, StoreError> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT u.status FROM users u LEFT JOIN credentials c ON c.user_id = u.id \
         WHERE u.id = $1 AND c.password_hash IS NOT DISTINCT FROM $2",
    )
    .bind(id)
    .bind(phc)
    .fetch_optional(&mut **tx)
    .await?;
    let status = status.map(AccountStatus::try_from);
    Ok(status.is_some_and(|status| status.is_ok_and(AccountStatus::may_sign_in)))
}

/// Writes a new hash of the same password, unless the password was changed since `old` was read.
pub async fn replace_password_hash(
    db: impl SqliteExecutor<'_>,
    id: &str,
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(db)
        .await?;
    Ok(())
}

/// Writes an account's password hash.
pub async fn save_password_hash(
    db: impl SqliteExecutor<'_>,
    id: &str,
    phc: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, \
         changed_at = excluded.changed_at, awaits_sign_in = FALSE",
    )
    .bind(id)
    .bind(phc)
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(())
}
