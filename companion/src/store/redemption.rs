//! The use of a code, once, by a conditional write that brings its tokens (SR-78).

use keyback_core::time::Timestamp;

use super::tokens::{NewTokens, insert_tokens};
use super::{StoreError, Transaction};

/// A code that gives tokens once, by its digest.
#[derive(Clone, Copy)]
pub enum Code<'a> {
    Authorization(&'a str),
    Device(&'a str),
}

impl<'a> Code<'a> {
    /// To SQLite's thread and back once.
    fn statement(self) -> (&'static str, &'a str) {
        match self {
            Self::Authorization(digest) => (
                concat!(
                    "UPDATE codes SET used_at = $5 WHERE digest = $9 AND used_at IS NULL AND expires_at > $5 \
                     AND EXISTS (SELECT 1 FROM grants WHERE id = $2); ",
                    insert_tokens!(" AND changes() = 1"),
                ),
                digest,
            ),
            Self::Device(digest) => (
                concat!(
                    "UPDATE device_codes SET state = 'used', polled_at = $5 \
                     WHERE digest = $9 AND state = 'approved' AND expires_at > $5 \
                     AND EXISTS (SELECT 1 FROM grants WHERE id = $2); ",
                    insert_tokens!(" AND changes() = 1"),
                ),
                digest,
            ),
        }
    }
}

/// Uses a code, and writes the tokens that it gives, as the last of a transaction. Of any number of requests at once, one is
/// answered true. Where it is used or expired, or gone with its grant, nothing is written.
pub async fn redeem(
    tx: Transaction,
    code: Code<'_>,
    tokens: &NewTokens<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (sql, digest) = code.statement();
    let done = tx.commit_with(tokens.insert(sql, now).bind(digest)).await?;
    Ok(done.rows_affected == 1 + tokens.rows())
}
