//! Whether a store could be opened and written, found out without making or changing anything.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{Store, StoreError, migrate};

impl Store {
    /// Tells what would keep [`Store::open`] from working. The database is neither made nor migrated.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn check(path: &Path) -> Result<(), StoreError> {
        let unopened = |source: sqlx::Error| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let unwritten = |error: io::Error| StoreError::ReadOnly {
            path: path.to_owned(),
            source: error.into(),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if !path.try_exists().map_err(|error| unopened(error.into()))? {
            return try_folder(folder).map_err(|error| unopened(error.into()));
        }
        let mut database = read_only(path).await.map_err(unopened)?;
        let looked = look(&mut database).await;
        database.close().await.map_err(unopened)?;
        if let Some(version) = looked.map_err(unopened)? {
            return Err(sqlx::migrate::MigrateError::VersionMissing(version).into());
        }
        OpenOptions::new().write(true).open(path).map_err(unwritten)?;
        try_folder(folder).map_err(unwritten)
    }
}

/// SQLite keeps its log beside the database. What a folder takes is known for certain by trying: a file without a name, which is
/// gone when it is closed.
fn try_folder(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Opens a database as it lies there. Where nobody has left a log it is opened as one that never changes, since SQLite would make
/// the log's files even to read.
async fn read_only(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let mut log = OsString::from(path);
    log.push("-wal");
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(!Path::new(&log).exists())
        .connect()
        .await
}

/// Reads the database's first page, and the newest migration that this version doesn't know.
async fn look(database: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let keeps_list: bool =
        sqlx::query_scalar("SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *database)
            .await?;
    if !keeps_list {
        return Ok(None);
    }
    let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version DESC")
        .fetch_all(database)
        .await?;
    Ok(applied.into_iter().find(|version| !migrate::knows(*version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyback.db");
        let store = Store::open(&path).await.unwrap();
        Store::check(&path).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'newer', 1, x'00', 0)",
        )
        .execute(store.writer())
        .await
        .unwrap();
        // In the log as yet.
        let refused = Store::check(&path).await;
        assert!(matches!(refused, Err(StoreError::Migrate(_))), "{refused:?}");
        store.close().await;
        let refused = Store::check(&path).await;
        assert!(matches!(refused, Err(StoreError::Migrate(_))), "{refused:?}");
    }
}
