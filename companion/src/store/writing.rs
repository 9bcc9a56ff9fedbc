//! The statements of a write transaction, with its beginning and its end.

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, TryStreamExt as _};
use sqlx::sqlite::{SqliteArguments, SqliteRow, SqliteStatement, SqliteTypeInfo};
use sqlx::{
    AssertSqlSafe, Describe, Either, Error, Execute, Executor, Row as _, SqlSafeStr as _, SqlStr, Sqlite,
};

use super::connections::{Answer, Lent, given_on};
use super::result_code;

/// Takes SQLite's write lock at once.
const BEGIN: &str = "BEGIN IMMEDIATE; ";
/// Tells that it is done: the thread of a connection that ends in the midst of its work merely falls silent.
const COMMIT: &str = "; COMMIT; SELECT 'committed'";
const COMMITTED: &str = "committed";

/// SQLite's codes of failures that leave their transaction open as it was (`SQLITE_ERROR`, `SQLITE_CONSTRAINT`). On others it may
/// have taken it back, or never begun it, and what came after would be a transaction by itself.
const HARMLESS: [u32; 2] = [1, 19];

/// The connection of a transaction, as the executor of its statements.
///
/// What they answer is read whole before any of it is given on.
#[derive(Debug)]
pub struct Writing {
    lent: Lent,
    /// Whether the transaction may be gone.
    has_failed: bool,
}

/// What goes with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AndThen {
    Nothing,
    Commit,
}

impl Writing {
    pub(super) fn new(lent: Lent) -> Self {
        Self {
            lent,
            has_failed: false,
        }
    }

    /// Whether anything has been sent that is neither committed nor taken back.
    pub(super) fn is_open(&self) -> bool {
        self.lent.is_open()
    }

    /// The text of a statement and what it is bound to, with the beginning before it where it is the first.
    fn compose<'q, E>(&mut self, mut query: E, then: AndThen) -> Result<Composed, Error>
    where
        E: Execute<'q, Sqlite>,
    {
        self.check()?;
        let arguments = query.take_arguments().map_err(Error::Encode)?;
        let is_first = !self.lent.is_open();
        // Whoever gives up from here on leaves it open.
        self.lent.set_open(true);
        let mut sql = query.sql();
        if is_first || then == AndThen::Commit {
            let before = if is_first { BEGIN } else { "" };
            let behind = if then == AndThen::Commit { COMMIT } else { "" };
            sql = AssertSqlSafe([before, sql.as_str(), behind].concat()).into_sql_str();
        }
        Ok(Composed {
            query: (sql, arguments),
            is_first,
        })
    }

    /// Runs a statement, and tells of it alone.
    pub(super) async fn run<'q, E>(&mut self, query: E, then: AndThen) -> Result<Vec<Answer>, Error>
    where
        E: Execute<'q, Sqlite>,
    {
        let Composed { query, is_first } = self.compose(query, then)?;
        let answers = self.lent.connection().fetch_many(query).try_collect().await;
        let mut answers: Vec<_> = self.note(answers)?;
        if is_first && !answers.is_empty() {
            // Of the beginning, which tells of whatever was changed before it.
            answers.remove(0);
        }
        if then == AndThen::Commit {
            let told = (answers.pop(), answers.pop(), answers.pop());
            let (Some(Either::Left(_)), Some(Either::Right(row)), Some(Either::Left(_))) = told else {
                return self.note(Err(Error::WorkerCrashed));
            };
            if row.try_get::<&str, _>(0).ok() != Some(COMMITTED) {
                return self.note(Err(Error::WorkerCrashed));
            }
            self.lent.set_open(false);
        }
        Ok(answers)
    }

    /// Commits what is open, or takes it back.
    pub(super) async fn end(&mut self, end: &'static str) -> Result<(), Error> {
        self.check()?;
        let query = (end, Some(SqliteArguments::default()));
        let told = self.lent.connection().fetch_many(query).try_collect().await;
        let told: Vec<_> = self.lent.note(told)?;
        if told.is_empty() {
            return self.note(Err(Error::WorkerCrashed));
        }
        self.lent.set_open(false);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        if self.has_failed {
            return Err(Error::Protocol(
                "the transaction is over: one of its statements has failed".to_owned(),
            ));
        }
        Ok(())
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.has_failed |= !result_code(error).is_some_and(|code| HARMLESS.contains(&code));
        }
        self.lent.note(result)
    }
}

struct Composed {
    query: (SqlStr, Option<SqliteArguments>),
    is_first: bool,
}

impl<'c> Executor<'c> for &'c mut Writing {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Answer, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        given_on(self.run(query, AndThen::Nothing))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move {
            let Composed { query, .. } = self.compose(query, AndThen::Nothing)?;
            let row = self.lent.connection().fetch_optional(query).await;
            self.note(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'c: 'e,
    {
        self.lent.connection().prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Sqlite>, Error>>
    where
        'c: 'e,
    {
        self.lent.connection().describe(sql)
    }
}
