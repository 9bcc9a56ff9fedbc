//! What is measured, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Measures the companion over loopback, beside the bare parts that bound it.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// The bare parts, which the program runs beside the companion as processes of their own.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Answers every request with the same bytes, by hyper alone.
    #[command(hide = true)]
    Responder {
        /// The answer, as JSON.
        answer: PathBuf,
    },
    /// Hashes passwords until its input ends, and tells how many it has done for every line it reads.
    #[command(hide = true)]
    Hashes { threads: usize },
}

/// The measurement.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The companion's program; by default the one beside this program.
    #[arg(long)]
    pub(crate) keyback: Option<PathBuf>,
    /// Everything, but only for a moment: shows that the program works, and measures nothing.
    #[arg(long)]
    pub(crate) short: bool,
    /// Numbers of accounts in the store, smallest first.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 1_000_000], value_parser = clap::value_parser!(u32).range(20..))]
    pub(crate) users: Vec<u32>,
    /// Writes `results.json`, `results.md` and the plots into a folder.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Writes the table between the marks of a README.
    #[arg(long)]
    pub(crate) readme: Option<PathBuf>,
}

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Turns that the companion and the bare part take.
    pub(crate) rounds: usize,
    /// A turn of plain requests.
    pub(crate) requests: Duration,
    /// A turn of sign-ins, resets or hashes.
    pub(crate) journeys: Duration,
    /// Before a turn counts.
    pub(crate) warm_up: Duration,
    /// Starts of the program.
    pub(crate) starts: usize,
    /// How long the companion is left alone before its idle memory is read.
    pub(crate) quiet: Duration,
}

impl Options {
    pub(crate) fn pace(&self) -> Pace {
        if self.short {
            Pace {
                rounds: 1,
                requests: Duration::from_millis(100),
                journeys: Duration::from_millis(1_500),
                warm_up: Duration::from_millis(20),
                starts: 2,
                quiet: Duration::from_millis(200),
            }
        } else {
            Pace {
                rounds: 15,
                requests: Duration::from_millis(400),
                journeys: Duration::from_millis(1_500),
                warm_up: Duration::from_millis(200),
                starts: 20,
                quiet: Duration::from_secs(15),
            }
        }
    }
}
