//! `keyback user import`: the accounts of a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use keyback_core::random::SystemRandom;
use keyback_core::time::{Clock as _, SystemClock};

use super::{ConfigFile, open};
use crate::import::{self, Format, Options, Outcome, Report, Rules};

const NO_ADDRESS: &str = "neither e-mail address nor phone number: no code can be sent";

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    accounts: PathBuf,
    /// How the file is written; by default csv if its name ends so, else json
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Check everything, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave entries alone whose id, address or user name an account has already
    #[arg(long)]
    skip_existing: bool,
    /// You vouch for the addresses of which the file doesn't say whether they are verified; else no code goes there.
    /// Logto keeps verified addresses alone
    #[arg(long)]
    verified: bool,
    /// Import accounts whose password hash can't be taken (MD5, SHA and other fast ones) without a password
    #[arg(long)]
    drop_hashes: bool,
    /// Commit after every so many accounts, and pause for a quarter of a second, so that a running companion can write
    /// in between: its sign-ins wait for the part under way. By default all or none
    #[arg(long, value_name = "ACCOUNTS", value_parser = clap::value_parser!(u64).range(1..))]
    commit_every: Option<u64>,
}

pub(super) async fn run(args: &ImportArgs) -> Result<()> {
    let (config, store) = open::store(&args.config).await?;
    let options = Options {
        format: args.format.unwrap_or_else(|| Format::of(&args.accounts)),
        rules: Rules {
            verified: args.verified,
            drop_hashes: args.drop_hashes,
            default_region: config.sms.default_region,
        },
        dry_run: args.dry_run,
        skip_existing: args.skip_existing,
        commit_every: args.commit_every,
    };
    let (from, bar) = source(&args.accounts)?;
    let imported = import::run(&store, from, options, Arc::new(SystemRandom), SystemClock.now()).await;
    bar.finish_and_clear();
    store.close().await;
    tell(&imported?, &args.accounts)
}

/// The file, and what shows on a terminal, and there alone, how far it has been read.
fn source(file: &Path) -> Result<(Box<dyn Read + Send>, ProgressBar)> {
    if file == Path::new("-") {
        let bar = ProgressBar::new_spinner();
        return Ok((Box::new(bar.wrap_read(io::stdin())), bar));
    }
    let opened = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let length = opened.metadata().map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(length).with_style(ProgressStyle::with_template(
        "{wide_bar} {bytes} of {total_bytes}, {eta} left",
    )?);
    Ok((Box::new(bar.wrap_read(opened)), bar))
}

/// Problems to standard error, what was done to standard output.
fn tell(report: &Report, file: &Path) -> Result<()> {
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    let untold = report.problem_count - report.problems.len() as u64;
    if untold > 0 {
        eprintln!("and {untold} more");
    }
    let without = match report.without_password {
        0 => String::new(),
        count => format!(", {count} of them without a password: a reset sets their first one"),
    };
    match report.without_address {
        0 => {}
        1 => eprintln!("warning: 1 account has {NO_ADDRESS}, so its password can't be reset"),
        count => eprintln!("warning: {count} accounts have {NO_ADDRESS}, so their passwords can't be reset"),
    }
    let skipped = match report.skipped {
        0 => String::new(),
        count => format!("\n{count} entries left alone: their accounts are there"),
    };
    match report.outcome {
        Outcome::Written => println!("{} accounts added{without}{skipped}", report.added),
        Outcome::Checked => println!("{} accounts would be added{without}{skipped}", report.added),
        Outcome::Refused => {
            let written = match report.added {
                0 => "nothing was written".to_owned(),
                count => format!(
                    "{count} accounts before the first of them were written; mend the file, and go on with --skip-existing"
                ),
            };
            bail!(
                "{} has {} {}: {written}",
                file.display(),
                report.problem_count,
                if report.problem_count == 1 {
                    "problem"
                } else {
                    "problems"
                }
            );
        }
    }
    Ok(())
}
