//! Rows of the reset: flows (JSON, saved by compare-and-swap on their version) and challenges.

use keyback_core::identifier::Identifier;
use keyback_core::ids::{ChallengeId, FlowId, Subject};
use keyback_core::one_time_code::CodeDigest;
use keyback_core::ports::Saved;
use keyback_core::rate_limit::{IdentifierHash, LiveCode};
use keyback_core::reset::{Challenge, CountedChallenge, ResetFlow};
use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::account_status::AccountStatus;
use super::audit::CodeOf;
use super::{StoreError, Transaction, jobs, one_time_tokens};

/// How long a flow's row outlives it: the done page and "this code was used" can still be told.
const KEPT_AFTER_EXPIRY_MS: i64 = 3_600_000;

/// Writes a new flow.
pub async fn add_flow(db: impl SqliteExecutor<'_>, flow: &ResetFlow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO reset_flows (id, version, flow, subject, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(flow.id().as_str())
    .bind(flow.version())
    .bind(to_json(flow)?)
    .bind(flow.subject().map(Subject::as_str))
    .bind(flow.expires_at().as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Writes a flow over the version it replaces, and over no other.
pub async fn save_flow(db: impl SqliteExecutor<'_>, flow: &ResetFlow) -> Result<Saved, StoreError> {
    let done = sqlx::query(
        "UPDATE reset_flows SET version = $3, flow = $4, subject = $5 WHERE id = $1 AND version = $2",
    )
    .bind(flow.id().as_str())
    .bind(flow.replaces_version())
    .bind(flow.version())
    .bind(to_json(flow)?)
    .bind(flow.subject().map(Subject::as_str))
    .execute(db)
    .await?;
    Ok(if done.rows_affected() == 1 {
        Saved::Saved
    } else {
        Saved::Conflict
    })
}

/// Finds a flow.
pub async fn find_flow(db: impl SqliteExecutor<'_>, id: &FlowId) -> Result<Option<ResetFlow>, StoreError> {
    let row: Option<String> = sqlx::query_scalar("SELECT flow FROM reset_flows WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?;
    row.map(|json| from_json(&json)).transpose()
}

/// Writes a new challenge, of the identifier with this hash.
pub async fn add_challenge(
    db: impl SqliteExecutor<'_>,
    challenge: &Challenge,
    identifier: &IdentifierHash,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO challenges (id, flow_id, code_digest, key_id, created_at, expires_at, attempts, subject, identifier) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(challenge.id.as_str())
    .bind(challenge.flow_id.as_str())
    .bind(hex::encode(challenge.code_digest.as_bytes()))
    .bind(challenge.code_digest.key_id())
    .bind(challenge.created_at.as_millis())
    .bind(challenge.expires_at.as_millis())
    .bind(i64::from(challenge.attempts))
    .bind(challenge.subject.as_ref().map(Subject::as_str))
    .bind(identifier.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// The codes of an identifier that are live: neither expired nor superseded, nor is their flow over. One that was right counts
/// until it would have expired, as one of a decoy does, which never is: room tells nothing of accounts.
pub async fn live_codes(
    db: impl SqliteExecutor<'_>,
    identifier: &IdentifierHash,
    flow: Option<&FlowId>,
    now: Timestamp,
) -> Result<Vec<LiveCode>, StoreError> {
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT c.expires_at, c.flow_id = $2 FROM challenges c JOIN reset_flows f ON f.id = c.flow_id \
         WHERE c.identifier = $1 AND c.expires_at > $3 AND c.superseded_at IS NULL AND f.expires_at > $3",
    )
    .bind(identifier.as_str())
    .bind(flow.map_or("", FlowId::as_str))
    .bind(now.as_millis())
    .fetch_all(db)
    .await?;
    let code = |(expires_at, of_this_flow)| LiveCode {
        expires_at: Timestamp::from_millis(expires_at),
        of_this_flow,
    };
    Ok(rows.into_iter().map(code).collect())
}

/// Finds a challenge that no other has replaced.
pub async fn find_challenge(
    db: impl SqliteExecutor<'_>,
    id: &ChallengeId,
) -> Result<Option<Challenge>, StoreError> {
    let row: Option<ChallengeRow> = sqlx::query_as(
        "SELECT id, flow_id, code_digest, key_id, created_at, expires_at, attempts, subject FROM challenges \
         WHERE id = $1 AND superseded_at IS NULL",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    row.map(ChallengeRow::load).transpose()
}

/// The flow that a challenge belongs to.
pub async fn flow_of_challenge(
    db: impl SqliteExecutor<'_>,
    challenge_id: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT flow_id FROM challenges WHERE id = $1")
        .bind(challenge_id)
        .fetch_optional(db)
        .await?)
}

/// Takes the older challenges of a flow out of use: they take no attempt any more.
pub async fn supersede_challenges(
    db: impl SqliteExecutor<'_>,
    flow: &FlowId,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "UPDATE challenges SET superseded_at = $2 WHERE flow_id = $1 AND superseded_at IS NULL RETURNING id",
    )
    .bind(flow.as_str())
    .bind(now.as_millis())
    .fetch_all(db)
    .await?)
}

/// Counts an attempt while fewer than `max` have been counted. One statement: 200 tries at once are five (SR-19).
pub async fn count_attempt(
    db: impl SqliteExecutor<'_>,
    id: &ChallengeId,
    now: Timestamp,
    max: u32,
) -> Result<Option<CountedChallenge>, StoreError> {
    let row: Option<CountedRow> = sqlx::query_as(
        "UPDATE challenges SET attempts = attempts + 1 WHERE id = $1 AND attempts < $2 AND expires_at > $3 \
         AND superseded_at IS NULL RETURNING attempts, code_digest, key_id, subject",
    )
    .bind(id.as_str())
    .bind(i64::from(max))
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(CountedChallenge {
            attempts: count(row.attempts)?,
            code_digest: digest(&row.key_id, &row.code_digest)?,
            subject: row.subject.map(Subject::new),
        })
    })
    .transpose()
}

/// The condition of [`User::may_reset_over`](super::users::User::may_reset_over) and
/// [`User::may_thaw_over_former`](super::users::User::may_thaw_over_former), once more in SQL.
macro_rules! bind_statement {
    ($address:literal, $verified:literal, $verified_at:literal) => {
        concat!(
            "UPDATE challenges SET subject = $2 WHERE id = $1 AND superseded_at IS NULL AND expires_at > $3 \
             AND ($2 IS NULL OR EXISTS (SELECT 1 FROM users WHERE users.id = $2 AND not_before <= challenges.created_at \
             AND ((",
            $address,
            " = $5 AND ",
            $verified,
            " AND (status = $4 OR (status = $6 AND ",
            $verified_at,
            " < contested_at))) OR (status = $6 AND EXISTS (SELECT 1 FROM former_addresses f WHERE f.user_id = $2 \
             AND f.address = $5 AND f.expires_at > $3 AND f.verified_at < contested_at)))))"
        )
    };
}

/// Binds the account that the worker found, or writes again that there is none: the same write for both, so
/// that the requests which queue behind it take as long (SR-2). Answers whether the code may be sent.
///
/// The account is looked at once more in the same statement: it may have changed since the worker read it. A code is
/// bound where the account may reset over the address, and where it was not cut off since the code was asked for, by a reset
/// above all (SR-24).
pub async fn bind_challenge(
    db: impl SqliteExecutor<'_>,
    id: &str,
    subject: Option<&str>,
    identifier: &Identifier,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = match identifier {
        Identifier::Email(_) => bind_statement!("email", "email_verified", "email_verified_at"),
        Identifier::Phone(_) => bind_statement!("phone", "phone_verified", "phone_verified_at"),
    };
    let done = sqlx::query(statement)
        .bind(id)
        .bind(subject)
        .bind(now.as_millis())
        .bind(AccountStatus::Active.as_str())
        .bind(identifier.as_str())
        .bind(AccountStatus::Frozen.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a challenge of a flow is still bound to an account: a reset elsewhere unbinds it. A flow that a one-time token
/// has opened never had one; a reset elsewhere takes it away itself.
pub async fn is_bound(tx: &mut Transaction, flow: &FlowId, subject: &Subject) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM challenges WHERE flow_id = $1) OR EXISTS (SELECT 1 FROM challenges \
         WHERE flow_id = $1 AND subject = $2 AND superseded_at IS NULL)",
    )
    .bind(flow.as_str())
    .bind(subject.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found.is_some())
}

/// Kills what else could reset an account: its outstanding codes become decoys, which look the same, and flows
/// that hold a proof for it are gone (SR-24).
pub async fn end_resets_of(
    tx: &mut Transaction,
    subject: &str,
    keep: Option<&FlowId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let keep = keep.map_or("", FlowId::as_str);
    // What waits to be sent again would be sent in vain.
    let bound: Vec<(String, String)> =
        sqlx::query_as("SELECT id, flow_id FROM challenges WHERE subject = $1")
            .bind(subject)
            .fetch_all(&mut **tx)
            .await?;
    for (challenge_id, flow_id) in &bound {
        let of = CodeOf {
            subject: Some(subject),
            flow_id: Some(flow_id),
            ..CodeOf::default()
        };
        jobs::withdraw(tx, challenge_id, of, now).await?;
    }
    sqlx::query("UPDATE challenges SET subject = NULL WHERE subject = $1 AND flow_id <> $2")
        .bind(subject)
        .bind(keep)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM reset_flows WHERE subject = $1 AND id <> $2")
        .bind(subject)
        .bind(keep)
        .execute(&mut **tx)
        .await?;
    one_time_tokens::revoke_of(&mut **tx, subject).await?;
    Ok(())
}

/// Forgets flows that ended a while ago, with their challenges.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM reset_flows WHERE expires_at <= $1")
        .bind(now.as_millis() - KEPT_AFTER_EXPIRY_MS)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

#[derive(FromRow)]
struct ChallengeRow {
    id: String,
    flow_id: String,
    code_digest: String,
    key_id: String,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
    subject: Option<String>,
}

#[derive(FromRow)]
struct CountedRow {
    attempts: i64,
    code_digest: String,
    key_id: String,
    subject: Option<String>,
}

impl ChallengeRow {
    fn load(self) -> Result<Challenge, StoreError> {
        Ok(Challenge {
            id: ChallengeId::new(self.id),
            flow_id: FlowId::new(self.flow_id),
            code_digest: digest(&self.key_id, &self.code_digest)?,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            attempts: count(self.attempts)?,
            subject: self.subject.map(Subject::new),
        })
    }
}

fn digest(key_id: &str, code_digest: &str) -> Result<CodeDigest, StoreError> {
    let corrupt = || StoreError::Corrupt {
        table: "challenges",
        reason: "its digest is not 32 bytes".to_owned(),
    };
    let mut mac = [0; 32];
    hex::decode_to_slice(code_digest, &mut mac).map_err(|_| corrupt())?;
    Ok(CodeDigest::from_parts(key_id, mac))
}

fn count(attempts: i64) -> Result<u32, StoreError> {
    u32::try_from(attempts).map_err(|error| StoreError::Corrupt {
        table: "challenges",
        reason: error.to_string(),
    })
}

fn to_json(flow: &ResetFlow) -> Result<String, StoreError> {
    serde_json::to_string(flow).map_err(|error| StoreError::Corrupt {
        table: "reset_flows",
        reason: error.to_string(),
    })
}

fn from_json(json: &str) -> Result<ResetFlow, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt {
        table: "reset_flows",
        reason: error.to_string(),
    })
}
