//! The audit trail as it is read: by whom, of what, from when to when.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteExecutor};

use super::StoreError;

/// A line of the trail.
#[derive(Clone, Debug, FromRow)]
pub struct Written {
    /// Its place: lines of later transactions have higher ones.
    pub place: i64,
    at: i64,
    pub event: String,
    pub actor: String,
    /// The id of the account, where it is known.
    pub subject: Option<String>,
    /// The keyed hash of what was typed.
    pub identifier: Option<String>,
    pub flow_id: Option<String>,
    pub client_id: Option<String>,
    pub client_ip: Option<String>,
    /// What else there is to tell, a JSON object.
    pub detail: String,
}

/// Which lines are asked for; all of them, by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whom they are about.
    pub about: Option<About>,
    /// Events, of which a line has one; any, if there are none.
    pub events: Vec<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// An account, or what was typed where there may be none.
#[derive(Clone, Debug)]
pub struct About {
    /// The id of the account.
    pub subject: String,
    /// The keyed hashes of its addresses and names, by every key there is.
    pub identifiers: Vec<String>,
}

impl Written {
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at)
    }
}

/// The newest lines, the oldest of them first.
pub async fn newest(
    db: impl SqliteExecutor<'_>,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Written>, StoreError> {
    let mut query = lines(filter);
    query
        .push(" ORDER BY at DESC, rowid DESC LIMIT ")
        .push_bind(limit);
    let mut found: Vec<Written> = query.build_query_as().fetch_all(db).await?;
    found.reverse();
    Ok(found)
}

/// The lines behind a place, in the order they were written in.
pub async fn behind(
    db: impl SqliteExecutor<'_>,
    filter: &Filter,
    place: i64,
    limit: u32,
) -> Result<Vec<Written>, StoreError> {
    let mut query = lines(filter);
    query.push(" AND rowid > ").push_bind(place);
    query.push(" ORDER BY rowid LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(db).await?)
}

/// The place of the last line; 0 where there is none.
pub async fn last_place(db: impl SqliteExecutor<'_>) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(rowid), 0) FROM audit")
        .fetch_one(db)
        .await?)
}

/// The events that the trail tells of.
pub async fn events(db: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT DISTINCT event FROM audit ORDER BY event")
            .fetch_all(db)
            .await?,
    )
}

fn lines(filter: &Filter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "SELECT rowid AS place, at, event, actor, subject, identifier, flow_id, client_id, client_ip, detail \
         FROM audit WHERE TRUE",
    );
    if let Some(About { subject, identifiers }) = &filter.about {
        query.push(" AND (subject = ").push_bind(subject.clone());
        one_of(query.push(" OR identifier"), identifiers);
        query.push(")");
    }
    if !filter.events.is_empty() {
        one_of(query.push(" AND event"), &filter.events);
    }
    if let Some(since) = filter.since {
        query.push(" AND at >= ").push_bind(since.as_millis());
    }
    if let Some(until) = filter.until {
        query.push(" AND at < ").push_bind(until.as_millis());
    }
    query
}

fn one_of(query: &mut QueryBuilder<Sqlite>, texts: &[String]) {
    query.push(" IN (");
    let mut list = query.separated(", ");
    for text in texts {
        list.push_bind(text.clone());
    }
    query.push(")");
}
