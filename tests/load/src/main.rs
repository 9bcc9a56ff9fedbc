//! Measures the companion as a whole, over loopback, beside the bare parts that bound it.
//!
//! ```text
//! options      what is measured, for how long
//! workplace    a folder with configuration, keys and accounts
//! process      the companion and the bare parts as processes of their own, on a processor of their own
//! bare         the two bare parts: a hyper responder of the same bytes, and argon2 of the same cost
//! wire         a connection that is kept, as bytes
//! person       a browser's share of a journey: cookies, forms, redirects
//! mail         a mail server that hands codes over
//! measure/     one measurement a file
//! report       the numbers, as JSON and as a table
//! plot/        the numbers, as pictures
//! ```
//!
//! A measurement never stands alone: the companion and the bare part take turns in the same run, so that whatever
//! else the machine does falls on both. The companion runs on one processor, and what asks it on another.

mod bare;
mod mail;
mod measure;
mod options;
mod person;
mod plot;
mod process;
mod report;
mod stats;
mod wire;
mod workplace;

use anyhow::Result;
use clap::Parser as _;

use options::{Cli, Part};

/// The companion's own, so that the bare parts are not measured with a slower one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.part {
        Some(Part::Responder { answer }) => bare::responder(&answer),
        Some(Part::Hashes { threads }) => bare::hashes(threads),
        None => run(&cli.options),
    }
}

fn run(options: &options::Options) -> Result<()> {
    process::stay_on(process::Side::Asking);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let results = runtime.block_on(measure::all(options))?;
    println!("{}", report::table(&results));
    if let Some(folder) = &options.out {
        report::write(&results, folder)?;
        plot::write(&results, folder)?;
    }
    if let Some(readme) = &options.readme {
        report::write_into(&results, readme)?;
    }
    Ok(())
}
