//! `timing`: whether the time to answer tells which addresses have an account (SR-2), asked of a running instance.
//!
//! ```text
//! $ cargo run --release -p keyback-tests --bin timing -- --url http://localhost:3001 \
//!       --state known=ada@example.com --state unknown=nobody@example.com --rounds 2000
//! ```
//!
//! Each round asks for a reset once for each state, in an order that is drawn, over one connection. It prints the medians, and
//! for each state beside the first one the AUC (how often a time drawn of one is above a time drawn of the other: one half says
//! nothing, 1 or 0 tell all) and p (how often chance alone would make such a difference). It ends with a failure when an AUC
//! is outside of 0.45 to 0.55. A state may be named several times, with several addresses, which take turns: limits of an
//! address refuse after ten requests in ten minutes where nothing else is configured.

use std::process::ExitCode;

use clap::Parser;
use keyback_core::random::SystemRandom;
use keyback_tests::timing::{Report, State, measure, parse_state};
use url::Url;

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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let states = State::group(options.states);
    match measure(&options.url, &states, options.rounds, &SystemRandom).await {
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
