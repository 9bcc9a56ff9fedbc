//! Authorization codes (RFC 6749 4.1.2). [`redemption`](super::redemption) uses them.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::granted::{Granted, granted_columns};
use super::grants::{self, NewGrant, insert_grant};
use super::users::{User, user_columns};
use super::{StoreError, Transaction};

/// An authorization code with the grant it leads to, and its person.
#[derive(Clone, Debug, FromRow)]
pub struct CodeRow {
    #[sqlx(flatten)]
    pub granted: Granted,
    /// Whose grant it is.
    #[sqlx(flatten)]
    pub user: User,
    pub redirect_uri: String,
    pub code_challenge: Option<String>,
    pub nonce: Option<String>,
    issued_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl CodeRow {
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }

    /// When the code was exchanged, if it was.
    pub fn used_at(&self) -> Option<Timestamp> {
        self.used_at.map(Timestamp::from_millis)
    }
}

/// What a code is bound to.
#[derive(Clone, Debug)]
pub struct NewCode<'a> {
    pub digest: &'a str,
    pub redirect_uri: &'a str,
    pub code_challenge: Option<&'a str>,
    pub nonce: Option<&'a str>,
    pub expires_at: Timestamp,
}

/// Begins a grant, as [`grants::add`] does, together with its code.
pub async fn begin(
    tx: &mut Transaction,
    grant: &NewGrant<'_>,
    code: &NewCode<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = concat!(
        insert_grant!(),
        "; INSERT INTO codes (digest, grant_id, redirect_uri, code_challenge, nonce, issued_at, expires_at) \
         SELECT $13, id, $14, $15, $16, $10, $17 FROM grants WHERE id = $1",
    );
    let done = grants::insert(sql, grant, now)
        .bind(code.digest)
        .bind(code.redirect_uri)
        .bind(code.code_challenge)
        .bind(code.nonce)
        .bind(code.expires_at.as_millis())
        .execute(&mut **tx)
        .await?;
    // Grant and code; the app may have taken part before.
    Ok(done.rows_affected() >= 2)
}

/// Finds a code, used and expired ones too: a replay must be seen.
pub async fn find(db: impl SqliteExecutor<'_>, digest: &str) -> Result<Option<CodeRow>, StoreError> {
    Ok(sqlx::query_as(concat!(
        "SELECT found.*, ",
        user_columns!(),
        " FROM (SELECT ",
        granted_columns!(),
        ", c.redirect_uri, c.code_challenge, c.nonce, c.issued_at, c.expires_at, c.used_at \
         FROM codes c JOIN grants g ON g.id = c.grant_id WHERE c.digest = $1) found JOIN users ON id = user_id",
    ))
    .bind(digest)
    .fetch_optional(db)
    .await?)
}

/// Forgets codes that nobody came for, with the grants that so gave nothing.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM grants WHERE id IN \
         (SELECT grant_id FROM codes WHERE used_at IS NULL AND expires_at <= $1)",
    )
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Ends all codes that nobody has come for, with their grants.
pub async fn end_unused(db: impl SqliteExecutor<'_>) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM grants WHERE id IN (SELECT grant_id FROM codes WHERE used_at IS NULL)")
        .execute(db)
        .await?;
    Ok(())
}
