//! The end of the way back: the first sign-in with a password that a reset has set.

use keyback_core::random::Random;
use keyback_core::rate_limit::{IdentifierHash, LimitKey};
use sqlx::SqliteExecutor;

use super::audit::Line;
use super::{StoreError, Transaction};
use crate::secrets::random_id;

/// What the audit trail tells of a sign-in that ends a reset: its owner is back.
const AFTER_RESET: &str = r#"{"after_reset":true}"#;

/// Notes that the first sign-in with the password of an account is awaited: it was set by a reset.
pub async fn begin(db: impl SqliteExecutor<'_>, id: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE credentials SET awaits_sign_in = TRUE WHERE user_id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes a sign-in with a password, and answers whether it was awaited since a reset; the next one isn't. The line of the audit
/// trail tells it, and the runs of wrong codes for the account's identifiers are over: its owner is there. With this, the
/// transaction of the sign-in is committed.
pub async fn end(
    tx: Transaction,
    random: &dyn Random,
    line: &Line<'_>,
    identifiers: [Option<IdentifierHash>; 2],
) -> Result<bool, StoreError> {
    let [email, phone] =
        identifiers.map(|hash| hash.map(|hash| LimitKey::IdentifierGuesses(hash).to_string()));
    let note = sqlx::query(
        "DELETE FROM limits WHERE key IN ($1, $2); \
         INSERT INTO audit (id, at, event, actor, subject, identifier, client_id, client_ip, detail) \
         SELECT $3, $4, $5, $6, user_id, $8, $9, $10, CASE WHEN awaits_sign_in THEN $11 ELSE '{}' END \
         FROM credentials WHERE user_id = $7; \
         UPDATE credentials SET awaits_sign_in = FALSE WHERE user_id = $7 AND awaits_sign_in RETURNING TRUE",
    )
    .bind(email)
    .bind(phone)
    .bind(random_id(random))
    .bind(line.at.as_millis())
    .bind(line.event)
    .bind(line.actor.as_str())
    .bind(line.subject)
    .bind(line.identifier)
    .bind(line.client_id)
    .bind(line.client_ip)
    .bind(AFTER_RESET);
    Ok(!tx.commit_with(note).await?.rows.is_empty())
}
