//! The rows of a companion, kept and put back: a walk returns to where it stood without the way there.

use std::time::Duration;

use keyback_core::time::{Clock as _, Timestamp};
use keyback_tests::TestApp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, SqliteConnection};

/// What is counted and told along the way, and answers nobody.
const BESIDE: [&str; 2] = ["audit", "limits"];

/// All rows and the time, as they were when they were kept.
pub(super) struct Rows {
    connection: SqliteConnection,
    keep: String,
    put_back: String,
    read: String,
    at: Timestamp,
}

impl Rows {
    /// Those of a companion, kept now.
    pub(super) async fn of(app: &TestApp) -> Self {
        let mut connection = SqliteConnectOptions::new()
            .filename(app.folder().join("keyback.db"))
            // Rows come back table by table, and need not outlive a power cut.
            .foreign_keys(false)
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(Duration::from_secs(10))
            .connect()
            .await
            .unwrap();
        let tables: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, (SELECT GROUP_CONCAT('QUOTE(' || c.name || ')', ' || '', '' || ') FROM pragma_table_info(t.name) AS c) \
             FROM sqlite_master AS t WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY t.name",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        connection.execute("ATTACH ':memory:' AS kept").await.unwrap();
        let of_each =
            |sql: fn(&str) -> String| -> String { tables.iter().map(|(table, _)| sql(table)).collect() };
        let texts = tables.iter().filter(|(table, _)| !BESIDE.contains(&&**table));
        let texts: Vec<_> = texts
            .map(|(table, row)| format!("'{table}', (SELECT GROUP_CONCAT({row}, ';') FROM {table})"))
            .collect();
        let mut rows = Self {
            // As they stand, in the order of their rows or of their keys.
            keep: of_each(|table| {
                format!(
                    "DROP TABLE IF EXISTS kept.{table}; CREATE TABLE kept.{table} AS SELECT * FROM main.{table};"
                )
            }),
            put_back: format!(
                "BEGIN IMMEDIATE; {} COMMIT",
                of_each(|table| {
                    format!(
                        "DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM kept.{table} ORDER BY rowid;"
                    )
                })
            ),
            read: format!("SELECT json_object({})", texts.join(", ")),
            connection,
            at: Timestamp::from_millis(0),
        };
        rows.keep(app).await;
        rows
    }

    /// Keeps what there is now.
    pub(super) async fn keep(&mut self, app: &TestApp) {
        let keep = sqlx::raw_sql(AssertSqlSafe(self.keep.as_str()));
        keep.execute(&mut self.connection).await.unwrap();
        self.at = app.clock.now();
    }

    /// Makes everything as it was.
    pub(super) async fn put_back(&mut self, app: &TestApp) {
        let put_back = sqlx::raw_sql(AssertSqlSafe(self.put_back.as_str()));
        put_back.execute(&mut self.connection).await.unwrap();
        app.clock.set(self.at);
    }

    /// All there is now that may make a difference, to the letter.
    pub(super) async fn read(&mut self) -> String {
        let read = sqlx::query_scalar(AssertSqlSafe(self.read.as_str()));
        read.fetch_one(&mut self.connection).await.unwrap()
    }
}
