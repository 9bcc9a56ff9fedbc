//! What the store is told is the same, statement by statement in one order: for the visitor's requests, and by the worker that
//! sends. SR-2.

use std::cell::Cell;
use std::time::Duration;

use keyback_tests::{Browser, Server, SmtpManner, SmtpSink, eventually};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::{STATES, accounts_of_all_states};

/// What the store is told as time passes and not for a request: the worker's look at the outbox, and a new connection's
/// settings. A transaction's end by itself may be of that look.
const UNASKED: [&str; 4] = ["UPDATE jobs SET lease_until", "PRAGMA ", "COMMIT", "ROLLBACK"];
/// The beginning of a transaction goes with its first statement.
const BEGINS: &str = "BEGIN IMMEDIATE; ";
/// A line of the audit trail. Refusals are told there together, every ten seconds, and not for a request.
const AUDITED: &str = "INSERT INTO audit";
/// The end of a try of a job: done, or put back. What became of it differs, and comes after the answer.
const ENDS: [&str; 2] = ["DELETE FROM jobs", "UPDATE jobs SET run_at"];
/// No try of a job begins: what requests and the worker tell the store comes one after the other.
const HOLD: &str = "CREATE TRIGGER hold AFTER INSERT ON jobs BEGIN UPDATE jobs SET run_at = run_at + 300000 WHERE id = NEW.id; END";
/// The first cool-down of every flow is over: it is longer than the test.
const COOL: &str = "UPDATE reset_flows SET flow = json_set(flow, '$.state.resend_at', 0) WHERE json_extract(flow, '$.state.sends') = 1";
/// A second code that a client types is refused, and the fourth that is asked for.
const LIMITS: &str =
    "[limits]\nsends_per_identifier = 3\ncodes_per_address = 1\n[reset]\nresend_cooldown = \"10m\"\n";

/// A companion that logs what it tells its store, and the way to that store beside it.
struct Watched {
    server: Server,
    db: SqliteConnection,
}

impl Watched {
    async fn with(mail: &SmtpSink) -> Self {
        let server = accounts_of_all_states(mail, "2s", LIMITS, "warn,sqlx=debug").await;
        let options = SqliteConnectOptions::new().filename(server.workplace.path("keyback.db"));
        let db = options.connect().await.unwrap();
        let mut watched = Self { server, db };
        watched.told_all(0).await;
        watched.tell(HOLD).await;
        watched
    }

    /// Tells the store something that is in no log.
    async fn tell(&mut self, sql: &'static str) {
        sqlx::query(sql).execute(&mut self.db).await.unwrap();
    }

    /// The place in the log.
    fn place(&self) -> usize {
        self.server.log().len()
    }

    /// The statements from a place in the log on, in the order in which they began. They are logged as they end, each by the
    /// thread of its connection, which may be late.
    fn told(&self, from: usize) -> Vec<String> {
        let log = self.server.log();
        let mut statements: Vec<_> = log[from..].lines().filter_map(Statement::parse).collect();
        statements.sort_by(|a, b| (a.day, a.began).partial_cmp(&(b.day, b.began)).unwrap());
        let told = statements.into_iter().map(|statement| statement.sql);
        told.filter(|sql| !UNASKED.iter().any(|unasked| sql.starts_with(unasked)))
            .collect()
    }

    /// The same, once nothing is told any more.
    async fn told_all(&self, from: usize) -> Vec<String> {
        let before = Cell::new(0);
        eventually("the statements to end", async || {
            tokio::time::sleep(Duration::from_millis(600)).await;
            let told = self.told(from);
            (before.replace(told.len()) == told.len() && !told.is_empty()).then_some(told)
        })
        .await
    }

    /// Has the worker try the job that waits, once: it would try again in the midst of later statements.
    async fn let_the_worker_try(&mut self) {
        let from = self.place();
        self.tell("DROP TRIGGER hold").await;
        self.tell("UPDATE jobs SET run_at = 0").await;
        eventually("the worker to have tried", async || {
            let told = self.told(from);
            let end = told.iter().position(|sql| is_end(sql))?;
            told[end..]
                .iter()
                .any(|sql| sql.starts_with(AUDITED))
                .then_some(())
        })
        .await;
        self.tell("DELETE FROM jobs").await;
        self.tell(HOLD).await;
    }

    /// What is told when somebody asks for a reset, types a wrong code, looks at the page of the code, and asks for another.
    async fn of_a_reset(&mut self, browser: &mut Browser, address: &str) -> Vec<String> {
        let from = self.place();
        browser.open("/forgot-password").await;
        browser.ask_reset(address).await;
        browser.assert_status(200);
        self.let_the_worker_try().await;
        browser.enter_code("000000").await;
        browser.assert_status(422);
        browser.reload().await;
        browser.assert_status(200);
        self.tell(COOL).await;
        browser.resend().await;
        browser.assert_status(200);
        self.let_the_worker_try().await;
        let told = self.told_all(from).await.into_iter();
        told.map(|sql| {
            if is_end(&sql) {
                "the end of the try".to_owned()
            } else {
                sql
            }
        })
        .collect()
    }

    /// What is told when the same browser goes on until all is refused: another code at once, another try, another reset.
    async fn of_refusals(&mut self, browser: &mut Browser, address: &str) -> Vec<String> {
        let from = self.place();
        browser.resend().await;
        browser.assert_status(429);
        browser.enter_code("000000").await;
        browser.assert_status(429);
        for status in [200, 429] {
            browser.open("/forgot-password").await;
            browser.ask_reset(address).await;
            browser.assert_status(status);
        }
        let mut told = self.told_all(from).await;
        told.retain(|sql| !sql.starts_with(AUDITED));
        told
    }
}

/// A statement of the log.
struct Statement<'a> {
    sql: String,
    day: &'a str,
    /// In seconds of the day.
    began: f64,
}

impl<'a> Statement<'a> {
    /// None of a line that tells of something else, or is not written to its end.
    fn parse(line: &'a str) -> Option<Self> {
        let quoted = |name: &str| line.split_once(name)?.1.split('"').next();
        // A short one stands in its summary alone.
        let sql = quoted("db.statement=\"")
            .filter(|statement| !statement.is_empty())
            .or_else(|| quoted("summary=\""))?;
        let (day, time) = line.split_once('T')?;
        let mut ended = 0.0;
        for part in time.split_once('Z')?.0.split(':') {
            ended = ended * 60.0 + part.parse::<f64>().ok()?;
        }
        let took = line.split_once("elapsed_secs=")?.1.split(' ').next()?;
        let sql = sql.replace("\\n", "");
        let sql = sql.trim();
        Some(Self {
            sql: sql.strip_prefix(BEGINS).unwrap_or(sql).to_owned(),
            day,
            began: ended - took.parse::<f64>().ok()?,
        })
    }
}

fn is_end(statement: &str) -> bool {
    ENDS.iter().any(|end| statement.starts_with(end))
}

#[tokio::test]
async fn sr02_the_same_statements_are_made_whoever_is_asked_for_and_whatever_the_mail_server_does() {
    tokio::join!(
        the_statements_are_the_same(SmtpManner::Takes),
        the_statements_are_the_same(SmtpManner::Slow(Duration::from_millis(200))),
        the_statements_are_the_same(SmtpManner::Refuses("421 4.3.2 closed for today")),
        the_statements_are_the_same(SmtpManner::Hangs),
    );
}

async fn the_statements_are_the_same(manner: SmtpManner) {
    let mail = SmtpSink::in_manner(manner).await;
    let mut watched = Watched::with(&mail).await;
    let (mut browsers, mut first) = (Vec::new(), None);
    for ((state, address), client) in STATES.into_iter().zip(1..) {
        // A client that was seen asking changes other rows, whoever it asks for.
        let mut browser = watched
            .server
            .browser()
            .that_comes_from([198, 51, 100, client].into());
        let told = watched.of_a_reset(&mut browser, address).await;
        let known = first.get_or_insert_with(|| told.clone());
        for table in ["limits", "reset_flows", "challenges", "jobs", "audit", "users"] {
            let named = |statement: &String| statement.contains(table);
            assert!(known.iter().any(named), "{table}: {known:#?}");
        }
        assert_eq!(told, *known, "{manner:?}, {state}");
        browsers.push((state, address, browser));
    }
    assert!(mail.connections() >= 1, "{manner:?}: it was asked");

    let mut first = None;
    for (state, address, mut browser) in browsers {
        let told = watched.of_refusals(&mut browser, address).await;
        let known = first.get_or_insert_with(|| told.clone());
        assert_eq!(told, *known, "{manner:?}, {state}: refusals");
    }
}
