//! The outbox: jobs are written in the transaction of what they follow from, taken on a lease, and deleted when
//! done. A worker that dies leaves its lease to run out; the job is then taken again: at least once.

#[cfg(test)]
mod tests;

use std::time::Duration;

use keyback_core::time::Timestamp;
use serde_json::json;
use sqlx::{FromRow, SqliteExecutor};

use super::audit::{self, CodeOf};
use super::{StoreError, Transaction};

/// A job to write.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub lane: Lane,
    /// What it belongs to, so that it can be withdrawn, or waits for what is earlier.
    pub reference: Option<&'a str>,
    /// Whom it reaches: of a message, all whom one owner could have; none is nobody who could hold up others.
    pub target: Option<&'a str>,
    /// Sealed.
    pub payload: &'a str,
    pub created_at: Timestamp,
    /// Not delivered after this.
    pub expires_at: Timestamp,
}

/// Jobs to one target under way at one time: others are served meanwhile. Below the four conversations that are held with a mail
/// server.
const MOST_OF_TARGET: i64 = 2;

/// Jobs of one lane don't wait for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum Lane {
    /// To people, by e-mail.
    Email,
    /// To people, by text message.
    Sms,
    /// To the servers of others, which may not answer.
    Calls,
}

/// How many jobs of each lane a worker can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    pub email: usize,
    pub sms: usize,
    pub calls: usize,
}

impl Free {
    /// Whether it can take no job at all.
    pub fn is_none(self) -> bool {
        self.email == 0 && self.sms == 0 && self.calls == 0
    }
}

/// A job that was taken.
#[derive(Clone, Debug, FromRow)]
pub struct Job {
    pub id: String,
    pub kind: String,
    pub lane: Lane,
    pub payload: String,
    /// How often it has been taken, this time included.
    pub attempts: i64,
    expires_at: i64,
}

impl Job {
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// Writes a job, to run at once.
pub async fn add(db: impl SqliteExecutor<'_>, job: &NewJob<'_>) -> Result<(), StoreError> {
    add_for(db, job, job.created_at).await
}

/// Writes a job, to run at a time.
pub async fn add_for(
    db: impl SqliteExecutor<'_>,
    job: &NewJob<'_>,
    run_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, reference, payload, created_at, run_at, expires_at, lane, target) \
         VALUES ($1, $2, $3, $4, $5, $9, $6, $7, $8)",
    )
    .bind(job.id)
    .bind(job.kind)
    .bind(job.reference)
    .bind(job.payload)
    .bind(job.created_at.as_millis())
    .bind(job.expires_at.as_millis())
    .bind(job.lane)
    .bind(job.target)
    .bind(run_at.as_millis())
    .execute(db)
    .await?;
    Ok(())
}

/// Takes jobs that are due, for as long as the lease. Of the jobs to one target few are taken at a time, so that one that
/// doesn't answer delays nobody else; of calls, first tries before others, and none to those in `left_alone` (SR-87). A call waits
/// for those of its reference that were written before it, in the same transaction too, so that they come in their order (SR-60).
pub async fn take(
    db: impl SqliteExecutor<'_>,
    now: Timestamp,
    lease: Duration,
    free: Free,
    left_alone: &[String],
) -> Result<Vec<Job>, StoreError> {
    let most = |count| i64::try_from(count).unwrap_or(i64::MAX);
    // Messages are looked at in the order of an index and no farther than there is room for: a flood may have written thousands.
    Ok(sqlx::query_as(
        "UPDATE jobs SET lease_until = $2, attempts = attempts + 1 WHERE id IN ( \
         WITH busy AS (SELECT target, COUNT(*) AS under_way FROM jobs WHERE lease_until > $1 AND target IS NOT NULL \
         GROUP BY target), \
         due AS NOT MATERIALIZED (SELECT id, lane, target, run_at FROM jobs \
         WHERE run_at <= $1 AND lease_until <= $1 AND expires_at > $1 \
         AND (target IS NULL OR target NOT IN (SELECT target FROM busy WHERE under_way >= $7))), \
         message AS (SELECT id, target, ROW_NUMBER() OVER ( \
         PARTITION BY COALESCE(target, id) ORDER BY run_at, id) AS place \
         FROM (SELECT * FROM (SELECT * FROM due WHERE lane = $3 ORDER BY run_at LIMIT $4) \
         UNION ALL SELECT * FROM (SELECT * FROM due WHERE lane = $8 ORDER BY run_at LIMIT $9))), \
         call AS (SELECT j.id, j.target, j.attempts > 0 AS again, j.run_at, ROW_NUMBER() OVER ( \
         PARTITION BY COALESCE(j.target, j.id) ORDER BY j.attempts > 0, j.run_at, j.id) AS place FROM jobs AS j \
         WHERE j.lane = $5 AND j.run_at <= $1 AND j.lease_until <= $1 AND j.expires_at > $1 \
         AND (j.target IS NULL OR j.target NOT IN (SELECT value FROM json_each($10))) \
         AND NOT EXISTS (SELECT 1 FROM jobs AS e WHERE e.reference = j.reference \
         AND e.rowid < j.rowid AND e.expires_at > $1)) \
         SELECT m.id FROM message AS m LEFT JOIN busy AS b ON b.target = m.target \
         WHERE m.place + COALESCE(b.under_way, 0) <= $7 UNION ALL \
         SELECT id FROM (SELECT c.id FROM call AS c LEFT JOIN busy AS b ON b.target = c.target \
         WHERE c.place + COALESCE(b.under_way, 0) <= $7 ORDER BY c.again, c.run_at LIMIT $6)) \
         RETURNING id, kind, lane, payload, attempts, expires_at",
    )
    .bind(now.as_millis())
    .bind((now + lease).as_millis())
    .bind(Lane::Email)
    .bind(most(free.email))
    .bind(Lane::Calls)
    .bind(most(free.calls))
    .bind(MOST_OF_TARGET)
    .bind(Lane::Sms)
    .bind(most(free.sms))
    .bind(json!(left_alone).to_string())
    .fetch_all(db)
    .await?)
}

/// Puts a job back as it was before it was taken: nothing of it was tried. Answers whether it was there: it may have been
/// withdrawn meanwhile.
pub async fn leave(db: impl SqliteExecutor<'_>, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE jobs SET lease_until = 0, attempts = attempts - 1 WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Erases a job: it was delivered, or never can be.
pub async fn done(db: impl SqliteExecutor<'_>, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM jobs WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Puts a job back, to run later. Answers whether it was there: it may have been withdrawn meanwhile.
pub async fn retry(
    db: impl SqliteExecutor<'_>,
    id: &str,
    run_at: Timestamp,
    error: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE jobs SET run_at = $2, lease_until = 0, last_error = $3 WHERE id = $1")
        .bind(id)
        .bind(run_at.as_millis())
        .bind(error)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Withdraws the code that waits to be sent for a challenge, and has the trail say so: the same statements whether one
/// waits or not, since that may tell known addresses from others (SR-2).
pub async fn withdraw(
    tx: &mut Transaction,
    challenge_id: &str,
    of: CodeOf<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::write_withdrawn(&mut **tx, challenge_id, of, now).await?;
    sqlx::query("DELETE FROM jobs WHERE reference = $1")
        .bind(challenge_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Erases jobs whose time is over, `most` at once, and answers them: whoever was promised something must be able to
/// learn that it does not come. One that is under way tells its end by itself.
pub async fn take_expired(
    db: impl SqliteExecutor<'_>,
    now: Timestamp,
    most: u32,
) -> Result<Vec<Job>, StoreError> {
    Ok(sqlx::query_as(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE expires_at <= $1 AND lease_until <= $1 \
         ORDER BY expires_at LIMIT $2) RETURNING id, kind, lane, payload, attempts, expires_at",
    )
    .bind(now.as_millis())
    .bind(most)
    .fetch_all(db)
    .await?)
}

/// The jobs of one kind that wait or are under way.
#[derive(Clone, Debug, FromRow)]
pub struct OfKind {
    pub kind: String,
    pub count: i64,
    oldest: i64,
}

impl OfKind {
    /// When the oldest of them was written.
    pub fn oldest(&self) -> Timestamp {
        Timestamp::from_millis(self.oldest)
    }
}

/// What waits, by its kind.
pub async fn by_kind(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<Vec<OfKind>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT kind, COUNT(*) AS count, MIN(created_at) AS oldest FROM jobs WHERE expires_at > $1 GROUP BY kind",
    )
    .bind(now.as_millis())
    .fetch_all(db)
    .await?)
}

/// How many jobs wait.
pub async fn count(db: impl SqliteExecutor<'_>) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM jobs")
        .fetch_one(db)
        .await?)
}
