//! `timing`: whether the time to answer tells which addresses have an account (SR-2), asked of a running instance.
//!
//! ```text
//! $ cargo run -p keyback-tests --bin timing -- --url http://localhost:3001 --full \
//!       --state known=ada@example.com --state unknown=nobody@example.com
//! ```
//!
//! It asks for resets for each state, in an order that is drawn, over one connection. It prints the medians, and for each state
//! beside the first one the AUC (how often a time drawn of one is above a time drawn of the other: one half says nothing, 1 or 0
//! tell all) and p (how often chance alone would make such a difference). It ends with a failure when an AUC is outside of 0.45
//! to 0.55. A state may be named several times, with several addresses, which take turns: limits of an address refuse after ten
//! requests in ten minutes where nothing else is configured. `CONTRIBUTING.md` says what to configure.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use keyback_core::random::SystemRandom;
use keyback_tests::SmtpSink;
use keyback_tests::timing::{Report, State, Step, measure, parse_state};
use url::Url;

/// How often each state is asked for by the full form.
const FULL: usize = 2_000;
/// Before each answer of the slow mail server.
const SLOW: Duration = Duration::from_secs(2);

/// Measures whether the time to answer tells accounts apart.
#[derive(Debug, Parser)]
struct Options {
    /// The public URL of the companion
    #[arg(long)]
    url: Url,
    /// A state and an address in it, as `known=ada@example.com`: two states at least
    #[arg(long = "state", value_parser = parse_state, required = true)]
    states: Vec<(String, String)>,
    /// How often each state is asked for
    #[arg(long, default_value_t = 500)]
    rounds: usize,
    /// The full form: each state is asked for 2,000 times
    #[arg(long, conflicts_with = "rounds")]
    full: bool,
    /// What is timed
    #[arg(long, value_enum, default_value_t = Step::Ask)]
    step: Step,
    /// Be a mail server at this address meanwhile, which waits two seconds before each answer: what the companion's connector
    /// `smtp` is to be pointed at
    #[arg(long)]
    slow_mail: Option<SocketAddr>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let states = State::group(options.states);
    let rounds = if options.full { FULL } else { options.rounds };
    let _mail = match options.slow_mail {
        Some(address) => Some(SmtpSink::listen(address, SLOW).await),
        None => None,
    };
    match measure(&options.url, &states, options.step, rounds, &SystemRandom).await {
        Ok(samples) => {
            let report = Report::of(&samples);
            print!("{report}");
            if report.tells_nothing() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
