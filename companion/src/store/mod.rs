//! The rows of Keyback in SQLite.
//!
//! One connection writes, several read: SQLite has one writer anyway, and waiting for it in our own
//! queue is fair where `SQLITE_BUSY` is not. A write is one `BEGIN IMMEDIATE` transaction, committed whole or not at
//! all, also by `kill -9` (WAL). What [`Store::begin`] commits is on the disk; what [`Store::begin_quick`] does may go with
//! the power.

pub mod account_status;
pub mod accounts;
pub mod apps;
pub mod audit;
pub mod audit_log;
pub mod awaited_sign_ins;
pub mod boots;
pub mod captcha_answers;
mod check;
pub mod client_assertions;
pub mod codes;
mod connections;
pub mod consents;
pub mod credentials;
pub mod cut_off;
pub mod device_codes;
pub mod former_addresses;
pub mod freeze_links;
pub mod granted;
pub mod grants;
pub mod import;
pub mod interactions;
pub mod jobs;
pub mod limits;
pub mod machine_tokens;
mod migrate;
pub mod one_time_tokens;
pub mod password_hashes;
pub mod provider_keys;
pub mod pushed_requests;
pub mod redemption;
pub mod reset;
pub mod sent_codes;
pub mod sessions;
mod settling;
pub mod text_messages;
pub mod tokens;
mod transaction;
pub mod users;
mod writing;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

pub use self::connections::Connections;
use self::connections::Lent;
use self::settling::Settling;
pub use self::transaction::Transaction;
pub use self::writing::Writing;
use crate::config::Problems;

/// Connections that read at the same time.
const READERS: usize = 4;

/// Pages of the log after which it is written back into the database: 16 MiB. A sign-in writes some forty pages.
const CHECKPOINT_EVERY: &str = "4000";

/// Where the rows live. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    readers: Connections,
    writer: Connections,
    settling: Arc<Settling>,
}

/// Why the store could not do its work. Never shown to a visitor.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file can't be opened or created.
    #[error("the database {path} can't be opened: {source}. {}", advice(.source))]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The database can be read, but not written.
    #[error(
        "the database {path} can't be written: {source}. Give this user write access to it and to its folder"
    )]
    ReadOnly {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The tables could not be brought to this version's form.
    #[error(
        "the database could not be migrated: {0}. Nothing was changed; restore a backup or use the version that wrote it"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the database failed")]
    Query(#[from] sqlx::Error),
    /// A row holds what this version can't read.
    #[error("a row of {table} can't be read: {reason}")]
    Corrupt {
        /// The table of the row.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A job would have to be written, and there is no key to seal it with.
    #[error("somebody is to be told of this by the running server, for which a root key is needed: {0}")]
    NoRootKey(Arc<Problems>),
}

impl Store {
    /// Opens the database file, creating it if it isn't there, and brings its tables up to date. Where that fails, what
    /// [`check`](Self::check) finds is told, in its words.
    pub async fn open(path: &std::path::Path) -> Result<Self, StoreError> {
        match Self::try_open(path).await {
            Err(error) => Err(Self::check(path).await.err().unwrap_or(error)),
            opened => opened,
        }
    }

    async fn try_open(path: &std::path::Path) -> Result<Self, StoreError> {
        let store = Self::connect(path, true).await?;
        migrate::run(&store.writer).await?;
        store.check_writable(path).await?;
        Ok(store)
    }

    async fn connect(path: &std::path::Path, create: bool) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        if create {
            create_private(path).map_err(|error| open(error.into()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("wal_autocheckpoint", CHECKPOINT_EVERY);
        let writer = patiently(&options, 1).await.map_err(open)?;
        // Readers may not be `read_only`: a WAL database is opened by writing its shared memory.
        let readers = patiently(&options.pragma("query_only", "ON"), READERS)
            .await
            .map_err(open)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            readers,
            writer,
            settling: Settling::of_log(log.into()),
        })
    }

    /// The connections for reading. They see what is committed.
    pub fn reader(&self) -> &Connections {
        &self.readers
    }

    /// A connection for looking up a row by its key, where that may just have been written: the writing one, if nobody writes at
    /// this moment, for it remembers what it wrote. A reader forgets all it has read whenever anybody writes.
    pub async fn lookup(&self) -> Result<Lookup, StoreError> {
        Ok(match self.writer.lend_if_free().await {
            Ok(Some(lent)) => Lookup(lent),
            // A writer that can't be opened again says so to whoever writes.
            Ok(None) | Err(_) => Lookup(self.readers.lend().await?),
        })
    }

    /// Begins a write: waits for the writing connection, and takes SQLite's write lock with the first statement. Once committed, it
    /// is on the disk, with all that was committed before it (`synchronous=FULL`).
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::begin(&self.writer, None).await?)
    }

    /// Begins a write that a power cut may take back, with those after it: it is committed without waiting for the disk
    /// (`synchronous=NORMAL`), and brought there within a tenth of a second or so. The database stays whole, and a process that
    /// is killed loses nothing.
    ///
    /// For what merely begins something, as a session or a grant: whoever loses it signs in again. What ends something, and
    /// must not come back, is not begun with this. One end is, that of an authorization code, for which [`boots`] answers.
    pub async fn begin_quick(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::begin(&self.writer, Some(&self.settling)).await?)
    }

    /// Gives the writing connection a cache that the indices of a million accounts fit into: without it, each new row
    /// would be written where its random id belongs, over a disk's width. And it has the patience to come through where
    /// a busy server holds the lock most of the time.
    pub async fn prepare_for_bulk(&self) -> Result<(), StoreError> {
        for pragma in ["PRAGMA cache_size = -131072", "PRAGMA busy_timeout = 120000"] {
            sqlx::query(pragma).execute(&self.writer).await?;
        }
        Ok(())
    }

    /// The writing connection for a single statement, which is a transaction by itself and on the disk when it is done.
    pub fn writer(&self) -> &Connections {
        &self.writer
    }

    /// Answers when the store can read and write.
    pub async fn probe(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        let mut tx = self.begin().await?;
        sqlx::query("SELECT 1").execute(&mut *tx).await?;
        tx.rollback().await?;
        Ok(())
    }

    /// Writes something and takes it back: a database that can only be read would let everything start, and
    /// nothing happen.
    async fn check_writable(&self, path: &std::path::Path) -> Result<(), StoreError> {
        let written = async {
            let mut tx = Transaction::begin(&self.writer, None).await?;
            sqlx::query("INSERT INTO limits (key, tat) VALUES ('probe', 0)")
                .execute(&mut *tx)
                .await?;
            tx.rollback().await
        };
        written.await.map_err(|source| StoreError::ReadOnly {
            path: path.to_owned(),
            source,
        })
    }

    /// Closes the connections after their running statements.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A connection that is lent for looking something up, until this is dropped.
pub struct Lookup(Lent);

impl Deref for Lookup {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.0.as_connection()
    }
}

impl DerefMut for Lookup {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.0.connection()
    }
}

/// Connects, and waits where another process is about to. SQLite has its busy timeout for every lock but the one that turns
/// a new database to WAL.
async fn patiently(options: &SqliteConnectOptions, most: usize) -> Result<Connections, sqlx::Error> {
    /// As long together as the busy timeout.
    const TRIES: u32 = 200;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 1..TRIES {
        match Connections::open(options.clone(), most).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            connected => return connected,
        }
    }
    Connections::open(options.clone(), most).await
}

fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    result_code(error) == Some(BUSY)
}

/// What to do about a database that can't be opened.
fn advice(error: &sqlx::Error) -> &'static str {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    match result_code(error) {
        Some(NOT_A_DATABASE) => {
            "Something else is in the file, or it is damaged: name another one in [store] url, or restore a backup"
        }
        Some(CORRUPT) => "The file is damaged: restore a backup",
        _ => "Check that its folder exists and is writable",
    }
}

/// SQLite's primary result code, the low byte of all its kinds.
fn result_code(error: &sqlx::Error) -> Option<u32> {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok())
        .map(|code| code & 0xff)
}

/// Makes the database file for its owner alone: it holds addresses and password hashes. SQLite gives the files
/// beside it the same permissions.
fn create_private(path: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn once_closed_it_lends_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        let running = store.begin().await.unwrap();
        let closing = tokio::spawn({
            let store = store.clone();
            async move { store.close().await }
        });
        let refused = loop {
            match sqlx::query("SELECT 1").execute(store.reader()).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, sqlx::Error::PoolClosed), "{refused}");
        assert!(!closing.is_finished(), "what runs may end");
        running.commit().await.unwrap();
        closing.await.unwrap();
        assert!(store.begin().await.is_err());
    }
}
