//! How long an answer takes is the same. SR-2.

use keyback_core::random::SystemRandom;
use keyback_tests::timing::{Report, State, measure};
use keyback_tests::{SmtpManner, SmtpSink, counts};

use super::{MANNERS, STATES, accounts_of_all_states};

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
    let server = accounts_of_all_states(&mail, "[limits]\nfactor = 1000\n", "error").await;
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
