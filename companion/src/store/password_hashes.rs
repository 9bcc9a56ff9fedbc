//! The password hashes of all accounts, for whoever counts their kinds.

use super::{Connections, StoreError};

/// Shows the hash of every account, one after the other; `None` where an account has no password.
pub async fn each(db: &Connections, mut see: impl FnMut(Option<&str>)) -> Result<(), StoreError> {
    const AT_ONCE: i64 = 1_000;
    let mut after = String::new();
    loop {
        let page: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT id, password_hash FROM users LEFT JOIN credentials ON user_id = id \
             WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(&after)
        .bind(AT_ONCE)
        .fetch_all(db)
        .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (_, hash) in &page {
            see(hash.as_deref());
        }
    }
}
