//! How long an answer takes is the same: the short form of the program `timing`. SR-2.

use std::time::Duration;

use keyback_core::random::{SystemRandom, short_id};
use keyback_tests::timing::{Report, State, Step, measure};
use keyback_tests::{Server, SmtpManner, SmtpSink, counts};

use super::{STATES, accounts_of_all_states};

/// Others who ask meanwhile, where the store is under load, and how many addresses each asks for.
const OTHERS: usize = 2;
const ADDRESSES_OF_OTHERS: usize = 50;
/// More often than a run lasts.
const ON_AND_ON: usize = 20_000;

#[tokio::test]
async fn sr02_the_time_to_answer_tells_nothing_whatever_the_mail_server_does() {
    for manner in [
        SmtpManner::Takes,
        SmtpManner::Slow(Duration::from_secs(2)),
        SmtpManner::Refuses("421 4.3.2 closed for today"),
        SmtpManner::Hangs,
    ] {
        let mail = SmtpSink::in_manner(manner).await;
        let server = served(&mail).await;
        let rounds = counts(400, 2_000);
        assert_tells_nothing(&server, Step::Ask, &STATES, rounds, &format!("{manner:?}")).await;
    }
}

#[tokio::test]
async fn sr02_the_time_to_refuse_a_code_tells_nothing() {
    let mail = SmtpSink::start().await;
    let server = served(&mail).await;
    let (states, rounds) = few_or_all();
    assert_tells_nothing(&server, Step::Code, states, rounds, "a wrong code").await;
}

/// The store is busy with what others ask for: each waits for its one writing connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sr02_the_time_to_answer_tells_nothing_while_others_write() {
    let mail = SmtpSink::start().await;
    let server = served(&mail).await;
    let others: Vec<_> = (0..OTHERS)
        .map(|_| {
            let address = |state: &str| {
                (
                    state.to_owned(),
                    format!("{}@example.org", short_id(&SystemRandom)),
                )
            };
            let named = (0..ADDRESSES_OF_OTHERS).flat_map(|_| ["one", "other"].map(address));
            let (url, states) = (server.url.clone(), State::group(named.collect()));
            tokio::spawn(async move { measure(&url, &states, Step::Ask, ON_AND_ON, &SystemRandom).await })
        })
        .collect();
    let (states, rounds) = few_or_all();
    assert_tells_nothing(&server, Step::Ask, states, rounds, "the store under load").await;
    for other in others {
        assert!(!other.is_finished(), "they wrote to the end");
        other.abort();
    }
}

/// Two states, or with the full counts all; and how often.
fn few_or_all() -> (&'static [(&'static str, &'static str)], usize) {
    (&STATES[..counts(2, STATES.len())], counts(300, 2_000))
}

async fn served(mail: &SmtpSink) -> Server {
    accounts_of_all_states(mail, "10s", "[limits]\nfactor = 10000\n", "error").await
}

/// It asks for a difference that shows each time: chance alone leaves the bounds now and then, three times in a row hardly ever.
async fn assert_tells_nothing(
    server: &Server,
    step: Step,
    states: &[(&str, &str)],
    rounds: usize,
    what: &str,
) {
    let named = states
        .iter()
        .map(|(state, address)| ((*state).to_owned(), (*address).to_owned()));
    let states = State::group(named.collect());
    let mut reports = Vec::new();
    for _ in 0..3 {
        let samples = measure(&server.url, &states, step, rounds, &SystemRandom)
            .await
            .unwrap();
        let report = Report::of(&samples);
        if report.tells_nothing() {
            println!("{what}:\n{report}");
            return;
        }
        reports.push(report.to_string());
    }
    panic!("{what}:\n{}", reports.join("\n"));
}
