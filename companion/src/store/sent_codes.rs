//! Codes that apps have sent over the APIs: one for each holder and address, the latest.

use std::time::Duration;

use keyback_core::ids::ChallengeId;
use keyback_core::one_time_code::CodeDigest;
use keyback_core::random::Random;
use keyback_core::rate_limit::IdentifierHash;
use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::audit::{self, Line};
use super::{StoreError, Transaction, limits};

/// How long a code that has expired is known still, so that who types it is told that it has.
const KEPT: Duration = Duration::from_secs(3_600);

/// A code that was sent.
#[derive(Clone, Debug)]
pub struct SentCode {
    pub id: ChallengeId,
    /// Who may try it.
    pub holder: String,
    /// The hash of where it went.
    pub identifier_hash: String,
    pub code_digest: CodeDigest,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub attempts: u32,
}

#[derive(FromRow)]
struct Row {
    id: String,
    holder: String,
    identifier_hash: String,
    code_digest: String,
    key_id: String,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
}

/// Writes a code. The one before it, of the same holder for the same address, counts no more; its id is answered.
pub async fn replace(tx: &mut Transaction, sent: &SentCode) -> Result<Option<String>, StoreError> {
    let before =
        sqlx::query_scalar("DELETE FROM sent_codes WHERE holder = $1 AND identifier_hash = $2 RETURNING id")
            .bind(&sent.holder)
            .bind(&sent.identifier_hash)
            .fetch_optional(&mut **tx)
            .await?;
    sqlx::query(
        "INSERT INTO sent_codes (id, holder, identifier_hash, code_digest, key_id, created_at, expires_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(sent.id.as_str())
    .bind(&sent.holder)
    .bind(&sent.identifier_hash)
    .bind(hex::encode(sent.code_digest.as_bytes()))
    .bind(sent.code_digest.key_id())
    .bind(sent.created_at.as_millis())
    .bind(sent.expires_at.as_millis())
    .bind(i64::from(sent.attempts))
    .execute(&mut **tx)
    .await?;
    Ok(before)
}

macro_rules! find_statement {
    ($column:literal) => {
        concat!(
            "SELECT id, holder, identifier_hash, code_digest, key_id, created_at, expires_at, attempts \
             FROM sent_codes WHERE holder = $1 AND ",
            $column,
            " = $2"
        )
    };
}

/// The code of an id, where it is this holder's.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    holder: &str,
    id: &str,
) -> Result<Option<SentCode>, StoreError> {
    find_one(db, find_statement!("id"), holder, id).await
}

/// The code that a holder has sent to an address.
pub async fn find_sent_to(
    db: impl SqliteExecutor<'_>,
    holder: &str,
    identifier_hash: &str,
) -> Result<Option<SentCode>, StoreError> {
    find_one(db, find_statement!("identifier_hash"), holder, identifier_hash).await
}

async fn find_one(
    db: impl SqliteExecutor<'_>,
    statement: &'static str,
    holder: &str,
    wanted: &str,
) -> Result<Option<SentCode>, StoreError> {
    let row: Option<Row> = sqlx::query_as(statement)
        .bind(holder)
        .bind(wanted)
        .fetch_optional(db)
        .await?;
    row.map(Row::load).transpose()
}

/// Counts a try, before the code is looked at. One statement: of many tries at once no more than `most` are counted
/// (SR-19). Answers whether it was.
pub async fn count_attempt(
    db: impl SqliteExecutor<'_>,
    id: &ChallengeId,
    most: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE sent_codes SET attempts = attempts + 1 WHERE id = $1 AND attempts < $2 AND expires_at > $3",
    )
    .bind(id.as_str())
    .bind(i64::from(most))
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What follows from a try, in the transaction that has counted it: the trail tells of it, and a code that was right for an
/// identifier is used up and ends its run of wrong ones. Where any of it fails, none of it stands, and the count does.
pub async fn settle(
    tx: &mut Transaction,
    sent: &SentCode,
    right_for: Option<&IdentifierHash>,
    random: &dyn Random,
    line: &Line<'_>,
) -> Result<(), StoreError> {
    tx.begin_savepoint().await?;
    let written = write_settled(tx, sent, right_for, random, line).await;
    tx.end_savepoint(written.is_ok()).await?;
    written
}

async fn write_settled(
    tx: &mut Transaction,
    sent: &SentCode,
    right_for: Option<&IdentifierHash>,
    random: &dyn Random,
    line: &Line<'_>,
) -> Result<(), StoreError> {
    if let Some(identifier) = right_for {
        sqlx::query("DELETE FROM sent_codes WHERE id = $1")
            .bind(sent.id.as_str())
            .execute(&mut **tx)
            .await?;
        limits::end_guesses(&mut **tx, identifier.clone()).await?;
    }
    audit::write(&mut **tx, random, line).await
}

/// Forgets codes that expired a while ago.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sent_codes WHERE expires_at <= $1")
        .bind((now - KEPT).as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

impl Row {
    fn load(self) -> Result<SentCode, StoreError> {
        let corrupt = |reason: &str| StoreError::Corrupt {
            table: "sent_codes",
            reason: reason.to_owned(),
        };
        let mut mac = [0; 32];
        hex::decode_to_slice(&self.code_digest, &mut mac)
            .map_err(|_| corrupt("its digest is not 32 bytes"))?;
        Ok(SentCode {
            id: ChallengeId::new(self.id),
            holder: self.holder,
            identifier_hash: self.identifier_hash,
            code_digest: CodeDigest::from_parts(self.key_id, mac),
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            attempts: u32::try_from(self.attempts).map_err(|_| corrupt("its count is no count"))?,
        })
    }
}
