//! What asking for a reset does, and how long it takes, is the same whoever is asked for. SR-2.

mod bytes;

use std::time::Duration;

use keyback_core::random::SystemRandom;
use keyback_tests::timing::{Report, State, measure};
use keyback_tests::{Server, SmtpManner, SmtpSink, counts, eventually};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// What the store is told as time passes and not for a request: the worker's look at the outbox, and a new connection's
/// settings.
const UNASKED: [&str; 2] = ["UPDATE jobs SET lease_until", "PRAGMA "];
/// The end of a try of a job: done, or put back. What became of it differs, and comes after the answer.
const ENDS: [&str; 2] = ["DELETE FROM jobs", "UPDATE jobs SET run_at"];
/// Each state of an account, the one that gets a code first, and an address in it.
const STATES: [(&str, &str); 5] = [
    ("known", "ada@example.com"),
    ("unknown", "nobody@example.com"),
    ("disabled", "eve@example.com"),
    ("unverified", "una@example.com"),
    ("passwordless", "pat@example.com"),
];

/// What a mail server may do to whoever sends.
const MANNERS: [SmtpManner; 4] = [
    SmtpManner::Takes,
    SmtpManner::Slow(Duration::from_millis(200)),
    SmtpManner::Refuses("421 4.3.2 closed for today"),
    SmtpManner::Hangs,
];

/// A companion with an account in each state, and this mail server.
async fn accounts_of_all_states(mail: &SmtpSink, detail: &str) -> Server {
    let port = mail.address.port();
    let connector = format!(
        "connector = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
         from = \"hello@larkspur.example\"\ntimeout = \"2s\"",
    );
    let server = Server::start_with(
        |sound| {
            sound
                .replace("connector = \"inbox\"", &connector)
                .replace("[server]\n", "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n")
                + "[limits]\nfactor = 1000\n"
        },
        detail,
    )
    .await;
    let add = ["user", "add", "--email"];
    let workplace = &server.workplace;
    for address in ["ada@example.com", "eve@example.com"] {
        let with_password = [&add[..], &[address, "--password-stdin"]].concat();
        workplace
            .run_with_input(&with_password, "violet otter paddles")
            .await
            .assert_done();
    }
    for more in [&["pat@example.com"][..], &["una@example.com", "--unverified"]] {
        workplace.run(&[&add[..], more].concat()).await.assert_done();
    }
    workplace
        .run(&["user", "disable", "eve@example.com"])
        .await
        .assert_done();
    server
}

/// The statement of a line: a short one stands in its summary alone.
fn told_in(line: &str) -> Option<String> {
    let field = |name: &str| line.split_once(name)?.1.split('"').next();
    field("db.statement=\"")
        .filter(|statement| !statement.is_empty())
        .or_else(|| field("summary=\""))
        .map(|statement| statement.replace("\\n", "").trim().to_owned())
}

/// The statements from a place in the log on, sorted: the page that follows an answer reads beside the worker.
fn statements(server: &Server, from: usize) -> Vec<String> {
    let mut statements: Vec<String> = server.log()[from..]
        .lines()
        .filter_map(told_in)
        .filter(|statement| !UNASKED.iter().any(|unasked| statement.starts_with(unasked)))
        .map(|statement| {
            if is_end(&statement) {
                "the end of the try".to_owned()
            } else {
                statement
            }
        })
        .collect();
    statements.sort_unstable();
    statements
}

fn is_end(statement: &str) -> bool {
    ENDS.iter().any(|end| statement.starts_with(end))
}

/// What the store is told when somebody asks for a reset and types a wrong code, until nothing is left to do. Each comes from
/// an address of their own: a client that was seen asking changes other rows, whoever it asks for.
async fn statements_of_a_reset(server: &Server, client: u8, address: &str) -> Vec<String> {
    let from = server.log().len();
    let mut browser = server.browser().that_comes_from([198, 51, 100, client].into());
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    eventually("the worker to have tried", async || {
        let log = server.log();
        log[from..]
            .lines()
            .filter_map(told_in)
            .any(|statement| is_end(&statement))
            .then_some(())
    })
    .await;
    // It would be tried again in the midst of the next one's statements.
    forget_jobs(server).await;
    browser.enter_code("000000").await;
    browser.assert_at("/forgot-password/code");
    statements(server, from)
}

/// Waits until the sweep of the start is over: nothing is told any more.
async fn swept(server: &Server) {
    let told = std::cell::Cell::new(0);
    eventually("the sweep of the start to be over", async || {
        let before = told.replace(statements(server, 0).len());
        tokio::time::sleep(Duration::from_millis(600)).await;
        (before > 0 && before == told.get() && statements(server, 0).len() == before).then_some(())
    })
    .await;
}

async fn forget_jobs(server: &Server) {
    let options = SqliteConnectOptions::new().filename(server.workplace.path("keyback.db"));
    let mut db = options.connect().await.unwrap();
    sqlx::query("DELETE FROM jobs").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn sr02_the_same_statements_are_made_whoever_is_asked_for_and_whatever_the_mail_server_does() {
    for manner in MANNERS {
        let mail = SmtpSink::in_manner(manner).await;
        let server = accounts_of_all_states(&mail, "warn,sqlx=debug").await;
        swept(&server).await;
        let [(_, known), others @ ..] = STATES;
        let known = statements_of_a_reset(&server, 1, known).await;
        for table in ["limits", "reset_flows", "challenges", "jobs", "audit", "users"] {
            let told = |statement: &String| statement.contains(table);
            assert!(known.iter().any(told), "{table}: {known:#?}");
        }
        for ((state, address), client) in others.into_iter().zip(2..) {
            let theirs = statements_of_a_reset(&server, client, address).await;
            assert_eq!(theirs, known, "{manner:?}, {state}");
        }
        assert!(mail.connections() >= 1, "{manner:?}: it was asked");
    }
}

/// The short form of the program `timing`. It asks for a difference that shows each time: chance alone leaves the bounds
/// now and then, three times in a row hardly ever.
#[tokio::test]
async fn sr02_the_time_to_answer_tells_nothing_whatever_the_mail_server_does() {
    for manner in MANNERS {
        the_time_tells_nothing(manner).await;
    }
}

async fn the_time_tells_nothing(manner: SmtpManner) {
    let mail = SmtpSink::in_manner(manner).await;
    let server = accounts_of_all_states(&mail, "error").await;
    let named = STATES.map(|(state, address)| (state.to_owned(), address.to_owned()));
    let states = State::group(named.to_vec());
    let mut reports = Vec::new();
    for _ in 0..3 {
        let samples = measure(&server.url, &states, counts(400, 2_000), &SystemRandom)
            .await
            .unwrap();
        let report = Report::of(&samples);
        if report.tells_nothing() {
            println!("{manner:?}:\n{report}");
            return;
        }
        reports.push(report.to_string());
    }
    panic!("{manner:?}:\n{}", reports.join("\n"));
}
