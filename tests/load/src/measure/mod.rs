//! The measurements, one a file, and the order they are taken in.

pub(crate) mod answers;
pub(crate) mod footprint;
pub(crate) mod journeys;
mod turn;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::mail::Mail;
use crate::options::Options;
use crate::process::{self, Companion};
use crate::report::{Results, Store};
use crate::workplace::Workplace;

/// Takes all of them.
pub(crate) async fn all(options: &Options) -> Result<Results> {
    let pace = options.pace();
    let program = program(options)?;
    let mail = Mail::start().await?;
    let mut stores = Vec::new();
    let mut pages = Vec::new();
    for &users in &options.users {
        say(&format!("making {users} accounts"));
        let place = Workplace::new(&program, users, mail.port)?;
        let companion = Companion::start(&program, &place.config(), place.port).await?;
        let idle = footprint::settled(&companion, pace.quiet / 5).await?;
        if pages.is_empty() {
            pages = footprint::pages(&companion).await?;
        }
        say("answers");
        let answers = answers::all(&place, &companion, &pace).await?;
        say("sign-ins and resets");
        let journeys = journeys::all(&place, &companion, &mail, &pace).await?;
        let loaded = companion.process.memory()?;
        footprint::settled(&companion, pace.quiet).await?;
        // The allocator gives back what was freed when it is next asked for something: by a visitor, as here.
        footprint::pages(&companion).await?;
        let after = footprint::settled(&companion, pace.quiet / 10).await?;
        drop(companion);
        say("starts");
        stores.push(Store {
            users,
            imported_in: place.imported_in.as_secs_f64(),
            database_bytes: std::fs::metadata(place.path("keyback.db"))?.len(),
            answers,
            journeys,
            idle: idle.into(),
            loaded: loaded.into(),
            after: after.into(),
            starts: footprint::starts(&program, &place, &pace).await?,
        });
    }
    Ok(Results {
        machine: footprint::machine()?,
        apart: process::sides_are_apart(),
        rounds: pace.rounds,
        binary_bytes: std::fs::metadata(&program)?.len(),
        first_starts: footprint::first_starts(&program, mail.port, &pace).await?,
        pages,
        stores,
    })
}

/// The companion's program: the one beside this program, unless another is named.
fn program(options: &Options) -> Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("keyback");
    let program = options.keyback.clone().unwrap_or(beside);
    if !program.exists() {
        bail!(
            "{} is not there; build it with `cargo build --release --bin keyback`, or name it with --keyback",
            program.display()
        );
    }
    program.canonicalize().context("the program can't be found")
}

fn say(what: &str) {
    eprintln!("load: {what}");
}
