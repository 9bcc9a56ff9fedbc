//! What asking for a reset does, and how long it takes, is the same whoever is asked for. SR-2.

use keyback_core::random::SystemRandom;
use keyback_tests::timing::{Report, State, measure};
use keyback_tests::{Server, counts, eventually};

/// What the store is told as time passes and not for a request: the worker's look at the outbox, and a new connection's
/// settings.
const UNASKED: [&str; 2] = ["UPDATE jobs SET lease_until", "PRAGMA "];
/// The end of a job.
const DONE: &str = "DELETE FROM jobs";
/// Each state of an account, the one that gets a code first, and an address in it.
const STATES: [(&str, &str); 5] = [
    ("known", "ada@example.com"),
    ("unknown", "nobody@example.com"),
    ("disabled", "eve@example.com"),
    ("unverified", "una@example.com"),
    ("passwordless", "pat@example.com"),
];

/// A companion with an account in each state.
async fn accounts_of_all_states(detail: &str) -> Server {
    let server = Server::start("[limits]\nfactor = 1000\n", detail).await;
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
fn told_in(line: &str) -> Option<&str> {
    let field = |name: &str| line.split_once(name)?.1.split('"').next();
    field("db.statement=\"")
        .filter(|statement| !statement.is_empty())
        .or_else(|| field("summary=\""))
}

/// The statements from a place in the log on, sorted: the page that follows an answer reads beside the worker.
fn statements(server: &Server, from: usize) -> Vec<String> {
    let mut statements: Vec<String> = server.log()[from..]
        .lines()
        .filter_map(told_in)
        .map(|statement| statement.replace("\\n", "").trim().to_owned())
        .filter(|statement| !UNASKED.iter().any(|unasked| statement.starts_with(unasked)))
        .collect();
    statements.sort_unstable();
    statements
}

/// What the store is told when somebody asks for a reset and types a wrong code, until nothing is left to do.
async fn statements_of_a_reset(server: &Server, address: &str) -> Vec<String> {
    let from = server.log().len();
    let mut browser = server.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    eventually("the worker to be done", async || {
        let told = statements(server, from);
        told.iter()
            .any(|statement| statement.starts_with(DONE))
            .then_some(())
    })
    .await;
    browser.enter_code("000000").await;
    browser.assert_at("/forgot-password/code");
    statements(server, from)
}

#[tokio::test]
async fn sr02_the_same_statements_are_made_whoever_is_asked_for() {
    let server = accounts_of_all_states("warn,sqlx=debug").await;
    let [(_, known), others @ ..] = STATES;
    let known = statements_of_a_reset(&server, known).await;
    for table in ["limits", "reset_flows", "challenges", "jobs", "audit", "users"] {
        let told = |statement: &String| statement.contains(table);
        assert!(known.iter().any(told), "{table}: {known:#?}");
    }
    for (state, address) in others {
        let theirs = statements_of_a_reset(&server, address).await;
        assert_eq!(theirs, known, "{state}");
    }
}

/// The short form of the program `timing`. It asks for a difference that shows each time: chance alone leaves the bounds
/// now and then, three times in a row hardly ever.
#[tokio::test]
async fn sr02_the_time_to_answer_tells_nothing() {
    let server = accounts_of_all_states("error").await;
    let named = STATES.map(|(state, address)| (state.to_owned(), address.to_owned()));
    let states = State::group(named.to_vec());
    let mut reports = Vec::new();
    for _ in 0..3 {
        let samples = measure(&server.url, &states, counts(400, 2_000), &SystemRandom)
            .await
            .unwrap();
        let report = Report::of(&samples);
        if report.tells_nothing() {
            return;
        }
        reports.push(report.to_string());
    }
    panic!("{}", reports.join("\n"));
}
