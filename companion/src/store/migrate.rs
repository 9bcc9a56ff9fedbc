//! Brings the tables to the form that this version knows.

use sqlx::migrate::{MigrateError, Migrator};

use super::Connections;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Applies what is missing. Several processes may do it at once: one that comes second finds a table there that it was
/// about to make, and looks again at what is applied. A failure that nobody else's progress explains is told.
pub(super) async fn run(writer: &Connections) -> Result<(), MigrateError> {
    let mut seen = applied(writer).await;
    loop {
        let Err(error) = apply(writer).await else {
            return Ok(());
        };
        let now = applied(writer).await;
        if now <= seen {
            return Err(error);
        }
        seen = now;
    }
}

async fn apply(writer: &Connections) -> Result<(), MigrateError> {
    let all = None;
    MIGRATIONS
        .run_direct(all, writer.lend().await?.connection(), false)
        .await
}

/// Whether a migration is one of this version's.
pub(super) fn knows(version: i64) -> bool {
    MIGRATIONS.version_exists(version)
}

/// How many migrations the database has seen; none where it does not keep a list yet.
async fn applied(writer: &Connections) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations")
        .fetch_one(writer)
        .await
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::store::Store;

    /// As a server that starts does while a command of the operator does it.
    #[tokio::test]
    async fn several_processes_may_bring_a_new_database_up_to_date_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyback.db");
        let opening: Vec<_> = (0..6)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { Store::open(&path).await })
            })
            .collect();
        for store in opening {
            store.await.unwrap().unwrap();
        }
    }
}
