//! What the companion takes up: memory, the time to its first answer, its size, the weight of its pages.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::answers::authorization;
use crate::options::Pace;
use crate::person::Person;
use crate::process::{Companion, Memory};
use crate::report::{Machine, PageWeight};
use crate::stats::Spread;
use crate::wire::Wire;
use crate::workplace::{APP, Workplace};

/// What the machine is, in general words.
pub(crate) fn machine() -> Result<Machine> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .context("no MemTotal")?;
    Ok(Machine {
        processors: cpus.lines().filter(|line| line.starts_with("processor")).count(),
        memory_gib: kib.div_ceil(1024 * 1024),
    })
}

/// The memory after nobody asked for anything for a while.
pub(crate) async fn settled(companion: &Companion, quiet: Duration) -> Result<Memory> {
    tokio::time::sleep(quiet).await;
    companion.process.memory()
}

/// Milliseconds from the start of the process to the first answer, with a store that is there.
pub(crate) async fn starts(program: &Path, place: &Workplace, pace: &Pace) -> Result<Spread> {
    let mut took = Vec::new();
    for _ in 0..pace.starts {
        let companion = Companion::start(program, &place.config(), place.port).await?;
        took.push(companion.started_in.as_secs_f64() * 1e3);
    }
    Ok(Spread::of(&took))
}

/// The same for the first start of all, which makes the store and the signing keys.
pub(crate) async fn first_starts(program: &Path, mail_port: u16, pace: &Pace) -> Result<Spread> {
    let mut took = Vec::new();
    for _ in 0..pace.starts.div_ceil(2) {
        let place = Workplace::empty(program, mail_port)?;
        let companion = Companion::start(program, &place.config(), place.port).await?;
        took.push(companion.started_in.as_secs_f64() * 1e3);
    }
    Ok(Spread::of(&took))
}

/// Bytes of the pages' bodies, as they travel to a browser and unpacked.
pub(crate) async fn pages(companion: &Companion) -> Result<Vec<PageWeight>> {
    let mut weights = Vec::new();
    let ways = [
        ("sign-in", authorization(APP, "")),
        (
            "forgot password",
            authorization(APP, "&first_screen=reset-password&prompt=login"),
        ),
    ];
    for (name, way) in ways {
        let mut wire = Wire::connect(companion.port).await?;
        let mut person = Person::new(&mut wire, companion.port);
        let sent = person.open(&way).await?;
        let page = person.follow(&sent).await?;
        weights.push(PageWeight {
            name,
            travels: page.travelled,
            bytes: page.text.len(),
        });
    }
    Ok(weights)
}
