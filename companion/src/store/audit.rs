//! The audit trail: what happened, when, from where; no address, no code, no password.

use keyback_core::event::{Event, EventKind};
use keyback_core::ids::Subject;
use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{Connections, Store, StoreError};
use crate::secrets::random_id;
use keyback_core::random::Random;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at a page, not signed in.
    Visitor,
    /// The signed-in person.
    User,
    /// Somebody at the command line.
    Operator,
    /// The companion itself.
    Companion,
    /// A machine app, over the Management API; the line names it.
    App,
    /// The companion itself, at work on what somebody asked for earlier.
    System,
}

impl Actor {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::User => "user",
            Self::Operator => "operator",
            Self::Companion => "companion",
            Self::App => "app",
            Self::System => "system",
        }
    }
}

/// A line that is not of a reset flow: sign-ins, changes of a password, acts of the operator.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub at: Timestamp,
    pub event: &'a str,
    pub actor: Actor,
    pub subject: Option<&'a str>,
    /// The keyed hash of what was typed.
    pub identifier: Option<&'a str>,
    pub client_id: Option<&'a str>,
    pub client_ip: Option<&'a str>,
}

/// Whose code it was that was withdrawn, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct CodeOf<'a> {
    pub subject: Option<&'a str>,
    /// The keyed hash of where it was to go.
    pub identifier: Option<&'a str>,
    pub flow_id: Option<&'a str>,
    pub client_id: Option<&'a str>,
}

/// Writes a line.
pub async fn write(
    db: impl SqliteExecutor<'_>,
    random: &dyn Random,
    line: &Line<'_>,
) -> Result<(), StoreError> {
    write_of_flow(db, random, line, None, "{}").await
}

/// Writes a line with more to tell, as JSON.
pub async fn write_with_detail(
    db: impl SqliteExecutor<'_>,
    random: &dyn Random,
    line: &Line<'_>,
    detail: &str,
) -> Result<(), StoreError> {
    write_of_flow(db, random, line, None, detail).await
}

/// Writes a line that belongs to a reset flow, where that is still there.
pub async fn write_of_flow(
    db: impl SqliteExecutor<'_>,
    random: &dyn Random,
    line: &Line<'_>,
    flow_id: Option<&str>,
    detail: &str,
) -> Result<(), StoreError> {
    insert(db, &random_id(random), line, flow_id, detail).await
}

/// Writes a line of a reset flow that tells of what one can do over and over, once for each id. Repeats cost no write.
pub async fn write_once(store: &Store, id: &str, line: &Line<'_>, flow_id: &str) -> Result<(), StoreError> {
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM audit WHERE id = $1)")
        .bind(id)
        .fetch_one(store.reader())
        .await?;
    if is_there {
        return Ok(());
    }
    insert(store.writer(), id, line, Some(flow_id), "{}").await
}

/// Of lines with one id the first stays.
async fn insert(
    db: impl SqliteExecutor<'_>,
    id: &str,
    line: &Line<'_>,
    flow_id: Option<&str>,
    detail: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, at, event, actor, subject, identifier, flow_id, client_id, client_ip, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(line.at.as_millis())
    .bind(line.event)
    .bind(line.actor.as_str())
    .bind(line.subject)
    .bind(line.identifier)
    .bind(flow_id)
    .bind(line.client_id)
    .bind(line.client_ip)
    .bind(detail)
    .execute(db)
    .await?;
    Ok(())
}

/// Writes that the code which waits to be sent for a challenge never will be, if one does. What a worker has taken tells
/// its end by itself. The line has the id of the job, which is withdrawn once.
pub(super) async fn write_withdrawn(
    db: impl SqliteExecutor<'_>,
    challenge_id: &str,
    of: CodeOf<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, at, event, actor, subject, identifier, flow_id, client_id) \
         SELECT id, $2, 'code_withdrawn', $3, $4, $5, $6, $7 FROM jobs WHERE reference = $1 AND lease_until <= $2",
    )
    .bind(challenge_id)
    .bind(now.as_millis())
    .bind(Actor::System.as_str())
    .bind(of.subject)
    .bind(of.identifier)
    .bind(of.flow_id)
    .bind(of.client_id)
    .execute(db)
    .await?;
    Ok(())
}

/// Writes an event of a reset flow.
pub async fn write_event(
    db: impl SqliteExecutor<'_>,
    random: &dyn Random,
    event: &Event,
) -> Result<(), StoreError> {
    let address = event.visitor.address.to_string();
    let detail = detail(&event.kind)?;
    let identifier = event.identifier.to_string();
    let line = Line {
        at: event.at,
        event: event.kind.name(),
        actor: Actor::Visitor,
        subject: event.kind.subject().map(Subject::as_str),
        identifier: Some(&identifier),
        client_id: event.client_id.as_deref(),
        client_ip: Some(&address),
    };
    write_of_flow(db, random, &line, Some(event.flow_id.as_str()), &detail).await
}

fn detail(kind: &EventKind) -> Result<String, StoreError> {
    serde_json::to_string(kind).map_err(|error| StoreError::Corrupt {
        table: "audit",
        reason: error.to_string(),
    })
}

/// Forgets lines from before a moment. Where it is many, as after a shorter time was configured, others write in between.
pub async fn sweep(db: &Connections, before: Timestamp) -> Result<u64, StoreError> {
    const AT_ONCE: i64 = 1_000;
    let mut forgotten = 0;
    loop {
        let done = sqlx::query(
            "DELETE FROM audit WHERE rowid IN (SELECT rowid FROM audit WHERE at < $1 ORDER BY at LIMIT $2)",
        )
        .bind(before.as_millis())
        .bind(AT_ONCE)
        .execute(db)
        .await?;
        forgotten += done.rows_affected();
        if done.rows_affected() == 0 {
            return Ok(forgotten);
        }
    }
}
