//! The password hashes of all accounts, for whoever counts their kinds.

use futures_util::TryStreamExt as _;
use sqlx::SqlitePool;

use super::StoreError;

/// Shows the hash of every account, one after the other; `None` where an account has no password.
pub async fn each(db: &SqlitePool, mut see: impl FnMut(Option<&str>)) -> Result<(), StoreError> {
    let mut hashes = sqlx::query_scalar::<_, Option<String>>(
        "SELECT c.password_hash FROM users u LEFT JOIN credentials c ON c.user_id = u.id",
    )
    .fetch(db);
    while let Some(hash) = hashes.try_next().await? {
        see(hash.as_deref());
    }
    Ok(())
}
