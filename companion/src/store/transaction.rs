//! A write transaction: whole or not at all.
//!
//! Each statement goes to SQLite's thread and back, which costs more than most statements. So the first one takes the beginning
//! of its transaction along, and the last one may take the end.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Either, Error, Execute, Sqlite};

use super::connections::Connections;
use super::settling::Settling;
use super::writing::{AndThen, Writing};

/// A write transaction: holds the one writing connection until it is committed or dropped, which takes back what it wrote.
#[derive(Debug)]
pub struct Transaction {
    writing: Writing,
    writer: Connections,
    /// Brings it to the disk, where its commit doesn't.
    settling: Option<Arc<Settling>>,
}

/// What the last statement of a transaction has answered.
#[derive(Debug)]
pub struct Committed {
    pub rows: Vec<SqliteRow>,
    pub rows_affected: u64,
}

impl Transaction {
    /// Waits for the writing connection. SQLite's write lock is taken with the first statement. Where something else brings the
    /// transaction to the disk, its commit doesn't wait for that.
    pub(super) async fn begin(writer: &Connections, settling: Option<&Arc<Settling>>) -> Result<Self, Error> {
        let mut lent = writer.lend().await?;
        lent.set_mode(settling.is_some()).await?;
        Ok(Self {
            writing: Writing::new(lent),
            writer: writer.clone(),
            settling: settling.cloned(),
        })
    }

    /// Commits it.
    ///
    /// # Errors
    ///
    /// Where SQLite can't, nothing of it is kept.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.writing.is_open() {
            self.writing.end("COMMIT").await?;
            self.settle();
        }
        Ok(())
    }

    /// Runs the last statement, and commits.
    ///
    /// # Errors
    ///
    /// Where the statement fails, or SQLite can't commit, nothing of it all is kept.
    pub async fn commit_with<'q, E>(mut self, last: E) -> Result<Committed, Error>
    where
        E: Execute<'q, Sqlite>,
    {
        let answers = self.writing.run(last, AndThen::Commit).await?;
        self.settle();
        let mut committed = Committed {
            rows: Vec::new(),
            rows_affected: 0,
        };
        for answer in answers {
            match answer {
                Either::Left(done) => committed.rows_affected += done.rows_affected(),
                Either::Right(row) => committed.rows.push(row),
            }
        }
        Ok(committed)
    }

    /// Takes back what it wrote, as dropping it does, and waits until that is done.
    ///
    /// # Errors
    ///
    /// Where SQLite can't, as it has taken it back by itself.
    pub async fn rollback(mut self) -> Result<(), Error> {
        if self.writing.is_open() {
            self.writing.end("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Marks a point to which [`end_savepoint`](Self::end_savepoint) may go back.
    pub async fn begin_savepoint(&mut self) -> Result<(), Error> {
        sqlx::query("SAVEPOINT here").execute(&mut self.writing).await?;
        Ok(())
    }

    /// Keeps what was written since the mark as part of the transaction, or takes it back.
    pub async fn end_savepoint(&mut self, is_kept: bool) -> Result<(), Error> {
        let end = if is_kept {
            "RELEASE here"
        } else {
            "ROLLBACK TO here; RELEASE here"
        };
        sqlx::query(end).execute(&mut self.writing).await?;
        Ok(())
    }

    fn settle(&self) {
        if let Some(settling) = &self.settling {
            settling.begin();
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Whoever is lent the connection next takes back what was left open. This one sees to it that somebody is.
        if self.writing.is_open()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // A commit that nobody waited for may be done all the same.
            self.settle();
            let writer = self.writer.clone();
            runtime.spawn(async move { writer.lend().await.map(drop) });
        }
    }
}

impl Deref for Transaction {
    type Target = Writing;

    fn deref(&self) -> &Writing {
        &self.writing
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Writing {
        &mut self.writing
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use sqlx::{Row as _, SqliteExecutor};

    use super::super::Store;

    const NORMAL: i64 = 1;
    const FULL: i64 = 2;

    async fn mode(db: impl SqliteExecutor<'_>) -> i64 {
        sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(db)
            .await
            .unwrap()
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn each_transaction_is_committed_as_its_beginning_says_whatever_came_before_it() {
        let (_folder, store) = store().await;
        for _ in 0..2 {
            let mut quick = store.begin_quick().await.unwrap();
            assert_eq!(mode(&mut *quick).await, NORMAL);
            quick.commit().await.unwrap();
            assert_eq!(mode(store.writer()).await, FULL, "a statement by itself");

            let mut dropped = store.begin_quick().await.unwrap();
            assert_eq!(mode(&mut *dropped).await, NORMAL);
            drop(dropped);
            let mut durable = store.begin().await.unwrap();
            assert_eq!(mode(&mut *durable).await, FULL);
            drop(durable);
            assert_eq!(mode(store.writer()).await, FULL, "a statement by itself");
        }
    }

    #[tokio::test]
    async fn a_beginning_that_nobody_waits_for_leaves_no_mode_behind() {
        let (_folder, store) = store().await;
        for patience in 0..20 {
            {
                // Given up at every point of its way: before the connection, and at the pragma.
                let mut begun = std::pin::pin!(store.begin_quick());
                for _ in 0..patience {
                    if begun.as_mut().now_or_never().is_some() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            assert_eq!(mode(store.writer()).await, FULL, "{patience}");
        }
        let mut durable = store.begin().await.unwrap();
        assert_eq!(mode(&mut *durable).await, FULL);
    }

    #[tokio::test]
    async fn what_a_transaction_is_dropped_with_is_taken_back_and_the_connection_serves_on() {
        let (_folder, store) = store().await;
        for begin_quick in [true, false] {
            let mut tx = if begin_quick {
                store.begin_quick().await.unwrap()
            } else {
                store.begin().await.unwrap()
            };
            sqlx::query("INSERT INTO limits (key, tat) VALUES ('dropped', 0)")
                .execute(&mut *tx)
                .await
                .unwrap();
            drop(tx);
            let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM limits")
                .fetch_one(store.writer())
                .await
                .unwrap();
            assert_eq!(kept, 0);
        }
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_took_back_by_itself_costs_nothing_else() {
        let (_folder, store) = store().await;
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            sqlx::query("INSERT INTO limits (key, tat) VALUES ('lost', 0)")
                .execute(&mut *tx)
                .await
                .unwrap();
            // As on a full disk.
            sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
            drop(tx);
            store.begin().await.unwrap().commit().await.unwrap();
        }
    }

    const TAKE: &str = "INSERT INTO limits (key, tat) VALUES ($1, $2)";

    async fn kept(store: &Store) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM limits")
            .fetch_one(store.reader())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn beginning_and_end_travel_with_statements_and_are_not_counted_among_them() {
        let (_folder, store) = store().await;
        let mut tx = store.begin().await.unwrap();
        let take = "INSERT INTO limits (key, tat) VALUES ($1, 1), ($2, 1), ($3, 1)";
        let done = sqlx::query(take).bind("a").bind("b").bind("c");
        assert_eq!(done.execute(&mut *tx).await.unwrap().rows_affected(), 3);
        let found = sqlx::query("SELECT key FROM limits");
        assert_eq!(found.fetch_all(&mut *tx).await.unwrap().len(), 3);
        let last = "DELETE FROM limits WHERE key = $1; UPDATE limits SET tat = 2 RETURNING key";
        let committed = tx.commit_with(sqlx::query(last).bind("a")).await.unwrap();
        assert_eq!(committed.rows_affected, 1 + 2);
        let keys: Vec<String> = committed.rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(keys, ["b", "c"]);
        assert_eq!(kept(&store).await, 2);

        // One that is the first as well, and changes nothing: what was changed before it is not told again.
        for first in [TAKE, "UPDATE limits SET tat = $2 WHERE key = $1"] {
            let tx = store.begin().await.unwrap();
            let only = sqlx::query(first).bind(first).bind(1);
            let committed = tx.commit_with(only).await.unwrap();
            assert_eq!(committed.rows_affected, u64::from(first == TAKE));
        }
        assert_eq!(kept(&store).await, 3);
    }

    #[tokio::test]
    async fn a_last_statement_that_fails_keeps_nothing() {
        let (_folder, store) = store().await;
        let take = |key: &'static str| sqlx::query(TAKE).bind(key).bind(1);
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            take("a").execute(&mut *tx).await.unwrap();
            assert!(tx.commit_with(take("a")).await.is_err(), "a key is there once");
            assert_eq!(kept(&store).await, 0);
        }
        // A commit that is refused by itself: a grant of nobody.
        let mut tx = store.begin().await.unwrap();
        take("a").execute(&mut *tx).await.unwrap();
        sqlx::query("PRAGMA defer_foreign_keys = ON")
            .execute(&mut *tx)
            .await
            .unwrap();
        let of_nobody =
            "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ('nobody', 'x', 1)";
        assert!(tx.commit_with(sqlx::query(of_nobody)).await.is_err());
        assert_eq!(kept(&store).await, 0);
        store.begin().await.unwrap().commit_with(take("a")).await.unwrap();
        assert_eq!(kept(&store).await, 1);
    }

    #[tokio::test]
    async fn one_that_is_dropped_lets_other_processes_write_though_nobody_here_asks_again() {
        let (folder, store) = store().await;
        let other = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        sqlx::query(TAKE)
            .bind("a")
            .bind(1)
            .execute(&mut *tx)
            .await
            .unwrap();
        drop(tx);
        let written = sqlx::query(TAKE).bind("b").bind(1).execute(other.writer()).await;
        assert!(written.is_ok(), "{written:?}");
        assert_eq!(kept(&other).await, 1);
    }

    #[tokio::test]
    async fn a_savepoint_takes_back_what_came_after_it_alone() {
        let (_folder, store) = store().await;
        let take = |key: &'static str| sqlx::query(TAKE).bind(key).bind(1);
        let mut tx = store.begin().await.unwrap();
        take("a").execute(&mut *tx).await.unwrap();
        for (key, is_kept) in [("b", false), ("c", true), ("d", false)] {
            tx.begin_savepoint().await.unwrap();
            take(key).execute(&mut *tx).await.unwrap();
            tx.end_savepoint(is_kept).await.unwrap();
        }
        tx.commit().await.unwrap();
        let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM limits ORDER BY key")
            .fetch_all(store.reader())
            .await
            .unwrap();
        assert_eq!(keys, ["a", "c"]);
    }

    #[tokio::test]
    async fn once_its_lock_was_refused_no_statement_runs_by_itself() {
        let (folder, store) = store().await;
        let other = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        sqlx::query("PRAGMA busy_timeout = 1")
            .execute(store.writer())
            .await
            .unwrap();
        let mut lock = other.begin().await.unwrap();
        let take = |key: &'static str| sqlx::query(TAKE).bind(key).bind(1);
        take("other").execute(&mut *lock).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(take("a").execute(&mut *tx).await.is_err());
        lock.rollback().await.unwrap();
        assert!(take("b").execute(&mut *tx).await.is_err());
        assert!(tx.commit_with(take("c")).await.is_err());
        assert_eq!(kept(&store).await, 0);
        store.begin().await.unwrap().commit_with(take("d")).await.unwrap();
        assert_eq!(kept(&store).await, 1);
    }

    #[tokio::test]
    async fn a_commit_that_nobody_waits_for_is_whole_and_the_next_one_goes_on() {
        let (_folder, store) = store().await;
        for number in 0..20_i64 {
            let mut tx = store.begin().await.unwrap();
            for key in [number * 2, number * 2 + 1] {
                let take = sqlx::query(TAKE).bind(key.to_string()).bind(1);
                take.execute(&mut *tx).await.unwrap();
            }
            let mut commit = std::pin::pin!(tx.commit());
            for _ in 0..number {
                if commit.as_mut().now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        store.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(kept(&store).await % 2, 0);
    }
}
