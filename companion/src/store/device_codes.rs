//! Device sign-ins (RFC 8628): waiting, answered by a person, and used once by the device, each by a conditional write.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::granted::{Granted, granted_columns};
use super::{StoreError, Transaction};

/// Sign-ins of one app that wait at the same time at most: a flood on one app costs the others nothing. What doesn't fit
/// is refused, never put in the place of another's.
pub const MOST_WAITING_PER_APP: i64 = 2_000;
/// How far a device may be ahead of its interval: networks deliver unevenly.
const EARLY_MILLIS: i64 = 500;
/// Sooner after the last poll nothing is written, so that a flood of polls costs no disk.
const FLOOD_MILLIS: i64 = 1_000;
/// What a poll too early adds to the interval (RFC 8628 3.5).
const SLOW_DOWN_MILLIS: i64 = 5_000;

/// A device sign-in that a person can answer.
#[derive(Clone, Debug, FromRow)]
pub struct WaitingDevice {
    pub id: String,
    pub client_id: String,
    pub scope: String,
    resources: String,
    /// Where the device asked from.
    pub client_ip: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl WaitingDevice {
    /// The resource indicators that are asked for.
    pub fn resources(&self) -> Result<Vec<String>, StoreError> {
        serde_json::from_str(&self.resources).map_err(|error| corrupt(error.to_string()))
    }

    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// How far a device sign-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has answered.
    Waiting,
    /// A person has allowed it.
    Approved,
    /// A person has refused it.
    Denied,
    /// The device has its tokens.
    Used,
}

impl State {
    const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Denied, Self::Used];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Used => "used",
        }
    }
}

/// A device sign-in as the device polls it.
#[derive(Clone, Debug, FromRow)]
pub struct DeviceCodeRow {
    pub client_id: String,
    state: String,
    pub grant_id: Option<String>,
    polled_at: Option<i64>,
    expires_at: i64,
}

impl DeviceCodeRow {
    pub fn state(&self) -> Result<State, StoreError> {
        State::ALL
            .into_iter()
            .find(|state| state.as_str() == self.state)
            .ok_or_else(|| corrupt(format!("{:?} is no state", self.state)))
    }

    /// The last poll that counted: of a used code, the one that was given the tokens.
    pub fn polled_at(&self) -> Option<Timestamp> {
        self.polled_at.map(Timestamp::from_millis)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// What a person has given a device.
#[derive(Clone, Debug, FromRow)]
pub struct DeviceGrant {
    #[sqlx(flatten)]
    pub granted: Granted,
    answered_at: i64,
}

impl DeviceGrant {
    /// When the person allowed it.
    pub fn answered_at(&self) -> Timestamp {
        Timestamp::from_millis(self.answered_at)
    }
}

/// A device sign-in as it begins.
#[derive(Clone, Debug)]
pub struct NewDeviceCode<'a> {
    pub id: &'a str,
    pub digest: &'a str,
    pub user_digest: &'a str,
    pub client_id: &'a str,
    pub scope: &'a str,
    pub resources: &'a [String],
    pub client_ip: Option<&'a str>,
    /// Milliseconds between two polls.
    pub poll_every: i64,
    pub expires_at: Timestamp,
}

/// How beginning ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Begun,
    /// Another one has this user code: draw again.
    CodeTaken,
    /// Too many others of the app are waiting.
    Full,
}

/// Whether a device polls at its pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    InTime,
    /// It must slow down: its interval is longer from now on.
    TooFast,
}

/// Begins a device sign-in.
pub async fn add(tx: &mut Transaction, new: &NewDeviceCode<'_>, now: Timestamp) -> Result<Begun, StoreError> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM device_codes WHERE client_id = $1 AND state = 'waiting' AND expires_at > $2",
    )
    .bind(new.client_id)
    .bind(now.as_millis())
    .fetch_one(&mut **tx)
    .await?;
    if waiting >= MOST_WAITING_PER_APP {
        return Ok(Begun::Full);
    }
    let done = sqlx::query(
        "INSERT INTO device_codes (id, digest, user_digest, client_id, scope, resources, client_ip, state, \
         poll_every, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10) \
         ON CONFLICT (user_digest) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.digest)
    .bind(new.user_digest)
    .bind(new.client_id)
    .bind(new.scope)
    .bind(serde_json::to_string(new.resources).map_err(|error| corrupt(error.to_string()))?)
    .bind(new.client_ip)
    .bind(new.poll_every)
    .bind(now.as_millis())
    .bind(new.expires_at.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(if done.rows_affected() == 1 {
        Begun::Begun
    } else {
        Begun::CodeTaken
    })
}

/// Finds what waits under a user code.
pub async fn find_waiting(
    db: impl SqliteExecutor<'_>,
    user_digest: &str,
    now: Timestamp,
) -> Result<Option<WaitingDevice>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, client_id, scope, resources, client_ip, created_at, expires_at FROM device_codes \
         WHERE user_digest = $1 AND state = 'waiting' AND expires_at > $2",
    )
    .bind(user_digest)
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// Allows a device sign-in by a grant of the same transaction. Answers false where it no longer waits.
pub async fn approve(
    tx: &mut Transaction,
    id: &str,
    grant_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE device_codes SET state = 'approved', grant_id = $2, answered_at = $3 \
         WHERE id = $1 AND state = 'waiting' AND expires_at > $3",
    )
    .bind(id)
    .bind(grant_id)
    .bind(now.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Refuses a device sign-in. Answers false where it no longer waits.
pub async fn deny(tx: &mut Transaction, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE device_codes SET state = 'denied', answered_at = $2 \
         WHERE id = $1 AND state = 'waiting' AND expires_at > $2",
    )
    .bind(id)
    .bind(now.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a device code, used and expired ones too: what became of it must be told.
pub async fn find(db: impl SqliteExecutor<'_>, digest: &str) -> Result<Option<DeviceCodeRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT client_id, state, grant_id, polled_at, expires_at FROM device_codes WHERE digest = $1",
    )
    .bind(digest)
    .fetch_optional(db)
    .await?)
}

/// Finds what a person has given the device of a code that was approved.
pub async fn find_grant(
    db: impl SqliteExecutor<'_>,
    digest: &str,
) -> Result<Option<DeviceGrant>, StoreError> {
    Ok(sqlx::query_as(concat!(
        "SELECT ",
        granted_columns!(),
        ", d.answered_at FROM device_codes d JOIN grants g ON g.id = d.grant_id \
         WHERE d.digest = $1 AND d.state = 'approved'",
    ))
    .bind(digest)
    .fetch_optional(db)
    .await?)
}

/// Notes a poll of a device that waits; one too early makes its interval longer, unless it is one of a flood.
pub async fn poll(tx: &mut Transaction, digest: &str, now: Timestamp) -> Result<Pace, StoreError> {
    let before: Option<(Option<i64>, i64)> =
        sqlx::query_as("SELECT polled_at, poll_every FROM device_codes WHERE digest = $1")
            .bind(digest)
            .fetch_optional(&mut **tx)
            .await?;
    let polled = before.and_then(|(polled_at, every)| Some((polled_at?, every)));
    if polled.is_some_and(|(at, _)| now.as_millis() < at + FLOOD_MILLIS) {
        return Ok(Pace::TooFast);
    }
    let too_fast = polled.is_some_and(|(at, every)| now.as_millis() < at + every - EARLY_MILLIS);
    sqlx::query("UPDATE device_codes SET polled_at = $2, poll_every = poll_every + $3 WHERE digest = $1")
        .bind(digest)
        .bind(now.as_millis())
        .bind(if too_fast { SLOW_DOWN_MILLIS } else { 0 })
        .execute(&mut **tx)
        .await?;
    Ok(if too_fast { Pace::TooFast } else { Pace::InTime })
}

/// Ends the sign-ins of an app's devices.
pub async fn remove_app(db: impl SqliteExecutor<'_>, client_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM device_codes WHERE client_id = $1")
        .bind(client_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets codes that expired before `before`, and grants whose device never came for its tokens.
pub async fn sweep(tx: &mut Transaction, now: Timestamp, before: Timestamp) -> Result<u64, StoreError> {
    let grants = sqlx::query(
        "DELETE FROM grants WHERE id IN \
         (SELECT grant_id FROM device_codes WHERE state = 'approved' AND expires_at <= $1)",
    )
    .bind(now.as_millis())
    .execute(&mut **tx)
    .await?;
    let codes = sqlx::query("DELETE FROM device_codes WHERE expires_at <= $1")
        .bind(before.as_millis())
        .execute(&mut **tx)
        .await?;
    Ok(grants.rows_affected() + codes.rows_affected())
}

fn corrupt(reason: String) -> StoreError {
    StoreError::Corrupt {
        table: "device_codes",
        reason,
    }
}
