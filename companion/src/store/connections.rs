//! Connections that are lent to one caller at a time, in the order of asking.
//!
//! They take the place of sqlx's pool, which tries a connection whenever it comes back, in a task of its own. A connection
//! has a thread of its own; each try is a hand-off to it and back, which costs more than most statements.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::sqlite::{SqliteConnectOptions, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo};
use sqlx::{
    ConnectOptions as _, Connection as _, Describe, Either, Error, Execute, Executor, SqlStr, Sqlite,
    SqliteConnection,
};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::result_code;

/// How long anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// SQLite's mode of commit in which each transaction is on the disk before it is told done.
const ON_DISK: &str = "PRAGMA synchronous = FULL";
/// The mode in which none waits for the disk.
const QUICK: &str = "PRAGMA synchronous = NORMAL";

/// SQLite's code (`SQLITE_ERROR`) where there is nothing to be taken back.
const NOTHING_OPEN: u32 = 1;

/// The connections to one database, opened as they are needed. Cheap to clone.
///
/// As an executor of statements they lend one for each, which is a transaction by itself, and on the disk when it is done.
/// What it answers is read whole before any of it is given on: whoever reads all of a large table does so in pages.
#[derive(Clone, Debug)]
pub struct Connections {
    options: Arc<SqliteConnectOptions>,
    places: Arc<Semaphore>,
    slots: Arc<[Arc<Mutex<Option<Kept>>>]>,
}

#[derive(Debug)]
struct Kept {
    connection: SqliteConnection,
    /// Whether a transaction may have left it in the mode that doesn't wait for the disk.
    is_quick: bool,
    /// Whether a transaction may be open: whoever is lent it next with this takes that back.
    is_open: bool,
    /// Whether its thread has ended.
    is_broken: bool,
}

impl Kept {
    async fn open(options: &SqliteConnectOptions) -> Result<Self, Error> {
        Ok(Self {
            connection: options.connect().await?,
            is_quick: false,
            is_open: false,
            is_broken: false,
        })
    }

    /// Whether it can begin another transaction, once one that was dropped is taken back.
    async fn is_fit(&mut self) -> bool {
        if self.is_open && !self.is_broken {
            let taken_back = self.connection.execute("ROLLBACK").await;
            // None is open where its commit was not waited for, where it never began, and where SQLite took it back by itself.
            self.is_broken = taken_back.is_err_and(|error| result_code(&error) != Some(NOTHING_OPEN));
            self.is_open = false;
        }
        !self.is_broken
    }

    /// Sets the mode of commit, which SQLite refuses to change within a transaction. It does so when it reads the statement, which
    /// is why that is never one of those it keeps.
    async fn set_mode(&mut self, is_quick: bool) -> Result<(), Error> {
        if self.is_quick != is_quick {
            // Whoever gives up in between leaves it quick, and known to be.
            self.is_quick = true;
            let set = self
                .connection
                .execute(if is_quick { QUICK } else { ON_DISK })
                .await;
            self.note(set)?;
            self.is_quick = is_quick;
        }
        Ok(())
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.is_broken |= matches!(result, Err(Error::WorkerCrashed));
        result
    }
}

impl Connections {
    /// At most so many at a time. The first is opened at once.
    pub(super) async fn open(options: SqliteConnectOptions, most: usize) -> Result<Self, Error> {
        let first = Kept::open(&options).await?;
        let slots = std::iter::once(Some(first)).chain(std::iter::repeat_with(|| None));
        Ok(Self {
            options: Arc::new(options),
            places: Arc::new(Semaphore::new(most)),
            slots: slots.take(most).map(|slot| Arc::new(Mutex::new(slot))).collect(),
        })
    }

    /// Lends a connection, the first that is free: so few are used, and what they remember stays fresh.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        let asked = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(PATIENCE, asked).await;
        let place = place
            .map_err(|_| Error::PoolTimedOut)?
            .map_err(|_| Error::PoolClosed)?;
        self.lend_in(place).await
    }

    /// Lends a connection if one is free at this moment.
    pub(super) async fn lend_if_free(&self) -> Result<Option<Lent>, Error> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => self.lend_in(place).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn lend_in(&self, place: OwnedSemaphorePermit) -> Result<Lent, Error> {
        let free = self
            .slots
            .iter()
            .find_map(|slot| Arc::clone(slot).try_lock_owned().ok());
        // As many slots as places: one of them is free.
        let mut slot = free.ok_or(Error::PoolTimedOut)?;
        let is_fit = match &mut *slot {
            Some(kept) => kept.is_fit().await,
            None => false,
        };
        if !is_fit {
            *slot = None;
            *slot = Some(Kept::open(&self.options).await?);
        }
        let kept = OwnedMutexGuard::try_map(slot, Option::as_mut).map_err(|_| Error::PoolClosed)?;
        Ok(Lent { kept, _place: place })
    }

    /// Lends a connection for a statement outside of any transaction.
    async fn lend_for_statement(&self) -> Result<Lent, Error> {
        let mut lent = self.lend().await?;
        lent.kept.set_mode(false).await?;
        Ok(lent)
    }

    /// Lends none any more, and closes the connections as they come back.
    pub(super) async fn close(&self) {
        self.places.close();
        for slot in self.slots.iter() {
            let kept = slot.lock().await.take();
            if let Some(kept) = kept {
                // What it has written is in the log, whether it closes well or not.
                kept.connection.close().await.ok();
            }
        }
    }
}

/// A connection that is lent until this is dropped: first it comes back, then its place is free.
#[derive(Debug)]
pub(super) struct Lent {
    kept: OwnedMappedMutexGuard<Option<Kept>, Kept>,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.kept.connection
    }

    pub(super) fn as_connection(&self) -> &SqliteConnection {
        &self.kept.connection
    }

    /// Whether the next transaction is on the disk once it is committed.
    pub(super) async fn set_mode(&mut self, is_quick: bool) -> Result<(), Error> {
        self.kept.set_mode(is_quick).await
    }

    /// Whether a transaction is open, or may be.
    pub(super) fn is_open(&self) -> bool {
        self.kept.is_open
    }

    /// Notes that a transaction is about to begin, or has ended.
    pub(super) fn set_open(&mut self, is_open: bool) {
        self.kept.is_open = is_open;
    }

    /// Notes whether the thread of the connection has ended.
    pub(super) fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.kept.note(result)
    }
}

/// Of a statement's answers one: what it has done, or a row.
pub(super) type Answer = Either<SqliteQueryResult, SqliteRow>;

/// What was read whole, as the stream that an executor answers with.
pub(super) fn given_on<'e>(
    answers: impl Future<Output = Result<Vec<Answer>, Error>> + Send + 'e,
) -> BoxStream<'e, Result<Answer, Error>> {
    let each = |answers: Vec<Answer>| stream::iter(answers.into_iter().map(Ok));
    stream::once(answers).map_ok(each).try_flatten().boxed()
}

impl<'p> Executor<'p> for &Connections {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Answer, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let connections = self.clone();
        given_on(async move {
            let mut lent = connections.lend_for_statement().await?;
            let answers = lent.connection().fetch_many(query).try_collect().await;
            lent.kept.note(answers)
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let connections = self.clone();
        Box::pin(async move {
            let mut lent = connections.lend_for_statement().await?;
            let row = lent.connection().fetch_optional(query).await;
            lent.kept.note(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'p: 'e,
    {
        let connections = self.clone();
        Box::pin(async move {
            let mut lent = connections.lend_for_statement().await?;
            lent.connection().prepare_with(sql, parameters).await
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Sqlite>, Error>>
    where
        'p: 'e,
    {
        let connections = self.clone();
        Box::pin(async move {
            connections
                .lend_for_statement()
                .await?
                .connection()
                .describe(sql)
                .await
        })
    }
}
