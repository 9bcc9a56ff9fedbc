//! Brings the tables to the form that this version knows.

use sqlx::migrate::{MigrateError, Migrator};

use super::Connections;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Applies what is missing. Several processes may do it at once: one that comes second finds a table there that it was
/// about to make, or its line in the list of what is applied, and looks again at that list. A failure that nobody else's progress explains is told.
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
    use sqlx::Connection as _;
    use sqlx::SqliteConnection;

    use super::*;
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

    /// Tables that are made anew in another form keep their rows, and what belongs to whom.
    #[tokio::test]
    async fn rows_that_move_are_all_there_and_go_with_their_account() {
        const MOVED: [&str; 5] = [
            "codes",
            "access_tokens",
            "refresh_tokens",
            "sessions",
            "session_apps",
        ];
        let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let before = MIGRATIONS.iter().filter(|one| one.version < 191).cloned();
        let before = Migrator::with_migrations(before.collect());
        before.run_direct(None, &mut db, false).await.unwrap();
        sqlx::raw_sql(
            "INSERT INTO users (id, created_at, updated_at) VALUES ('alice', 1, 1);
             INSERT INTO sessions (secret_digest, id, user_id, auth_time, amr, created_at, last_seen_at, expires_at)
             VALUES ('digest', 'session', 'alice', 1, 'pwd', 1, 1, 2);
             INSERT INTO session_apps VALUES ('session', 'app', 'alice');
             INSERT INTO grants (id, user_id, client_id, session_id, offline, scope, resources, auth_time, amr,
             created_at, expires_at) VALUES ('grant', 'alice', 'app', 'session', TRUE, 'openid', '[]', 1, 'pwd', 1, 2);
             INSERT INTO codes (digest, grant_id, redirect_uri, issued_at, expires_at)
             VALUES ('digest', 'grant', 'https://app.example/callback', 1, 2);
             INSERT INTO access_tokens (digest, grant_id, scope, issued_at, expires_at)
             VALUES ('digest', 'grant', 'openid', 1, 2);
             INSERT INTO refresh_tokens (digest, grant_id, issued_at, expires_at) VALUES ('digest', 'grant', 1, 2);",
        )
        .execute(&mut db)
        .await
        .unwrap();
        MIGRATIONS.run_direct(None, &mut db, false).await.unwrap();
        for rows in [1, 0] {
            for table in MOVED {
                let count = format!("SELECT COUNT(*) FROM {table}");
                let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
                    .fetch_one(&mut db)
                    .await
                    .unwrap();
                assert_eq!(count, rows, "{table}");
            }
            sqlx::raw_sql("DELETE FROM users").execute(&mut db).await.unwrap();
        }
    }
}
