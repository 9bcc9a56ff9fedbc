//! The end of the way back: the first sign-in with a password that a reset has set.

use sqlx::SqliteExecutor;

use super::StoreError;

/// Notes that the first sign-in with the password of an account is awaited: it was set by a reset.
pub async fn begin(db: impl SqliteExecutor<'_>, id: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE credentials SET awaits_sign_in = TRUE WHERE user_id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether the sign-in that takes place was awaited since a reset. The next one isn't.
pub async fn end(db: impl SqliteExecutor<'_>, id: &str) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE credentials SET awaits_sign_in = FALSE WHERE user_id = $1 AND awaits_sign_in")
            .bind(id)
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}
