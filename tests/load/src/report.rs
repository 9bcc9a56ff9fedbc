//! The numbers: what was measured, as JSON and as a table.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::process::Memory;
use crate::stats::Spread;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// Whether the companion and what asks it had a processor each.
    pub(crate) apart: bool,
    pub(crate) rounds: usize,
    pub(crate) binary_bytes: u64,
    /// Milliseconds to the first answer of the first start of all, which makes store and keys.
    pub(crate) first_starts: Spread,
    pub(crate) pages: Vec<PageWeight>,
    pub(crate) stores: Vec<Store>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processors: usize,
    pub(crate) memory_gib: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct PageWeight {
    pub(crate) name: &'static str,
    /// Bytes of the body as it travels to a browser.
    pub(crate) travels: usize,
    pub(crate) bytes: usize,
}

/// What was measured over a store of so many accounts.
#[derive(Debug, Serialize)]
pub(crate) struct Store {
    pub(crate) users: u32,
    /// Seconds of `keyback user import`.
    pub(crate) imported_in: f64,
    pub(crate) database_bytes: u64,
    pub(crate) answers: Vec<AnswerRate>,
    pub(crate) journeys: JourneyRates,
    /// After the start, before anybody signed in.
    pub(crate) idle: MemoryBytes,
    /// Under load; its peak is the most there ever was.
    pub(crate) loaded: MemoryBytes,
    /// When the load is over.
    pub(crate) after: MemoryBytes,
    /// Milliseconds to the first answer.
    pub(crate) starts: Spread,
}

/// Requests a second, ours and those of bare hyper, and what each cost.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerRate {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
    pub(crate) body_bytes: usize,
    pub(crate) ours: Spread,
    pub(crate) bare: Spread,
    /// Of the turns that followed each other.
    pub(crate) ratio: Spread,
    /// Microseconds of processor time a request.
    pub(crate) our_cost: Spread,
    pub(crate) bare_cost: Spread,
}

/// Journeys a second, beside hashes a second.
#[derive(Debug, Serialize)]
pub(crate) struct JourneyRates {
    pub(crate) hash_threads: usize,
    pub(crate) hashes: Spread,
    /// Milliseconds of processor time a hash.
    pub(crate) hash_cost: Spread,
    pub(crate) sign_ins: Spread,
    pub(crate) sign_in_ratio: Spread,
    /// Milliseconds of processor time a sign-in, its hash included.
    pub(crate) sign_in_cost: Spread,
    pub(crate) resets: Spread,
    pub(crate) reset_ratio: Spread,
    pub(crate) reset_cost: Spread,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct MemoryBytes {
    pub(crate) resident: u64,
    pub(crate) proportional: u64,
    pub(crate) peak: u64,
}

impl From<Memory> for MemoryBytes {
    fn from(memory: Memory) -> Self {
        let Memory {
            resident,
            proportional,
            peak,
        } = memory;
        Self {
            resident,
            proportional,
            peak,
        }
    }
}

/// Writes `results.json` and `results.md`.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("results.json"),
        serde_json::to_string_pretty(results)? + "\n",
    )?;
    Ok(std::fs::write(folder.join("results.md"), table(results))?)
}

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->";

/// Writes the table between the marks of a document.
pub(crate) fn write_into(results: &Results, document: &Path) -> Result<()> {
    let text = std::fs::read_to_string(document)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("the document has no mark where the table begins")?;
    let (_, after) = rest
        .split_once(END)
        .context("the document has no mark where the table ends")?;
    Ok(std::fs::write(
        document,
        format!("{before}{BEGIN}{}{END}{after}", table(results)),
    )?)
}

/// The results for people, in Markdown.
pub(crate) fn table(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write_table(results, &mut text);
    text
}

fn write_table(results: &Results, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "| answers a second | companion | bare hyper | ratio | lowest to highest | processor time each |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|")?;
    for store in &results.stores {
        for rate in &store.answers {
            writeln!(
                text,
                "| {}, {} accounts | {} | {} | **{:.2}** | {:.2} to {:.2} | {:.1} µs, bare {:.1} µs |",
                in_code(rate.name),
                thousands(store.users),
                per_second(rate.ours.median),
                per_second(rate.bare.median),
                rate.ratio.median,
                rate.ratio.lowest,
                rate.ratio.highest,
                rate.our_cost.median,
                rate.bare_cost.median,
            )?;
        }
    }
    writeln!(
        text,
        "\n| journeys a second | companion | bare argon2 | ratio | lowest to highest | processor time each |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|")?;
    for store in &results.stores {
        let journeys = &store.journeys;
        for (name, rate, ratio, cost) in [
            (
                "sign-ins",
                journeys.sign_ins,
                journeys.sign_in_ratio,
                journeys.sign_in_cost,
            ),
            (
                "resets",
                journeys.resets,
                journeys.reset_ratio,
                journeys.reset_cost,
            ),
        ] {
            writeln!(
                text,
                "| {name}, {} accounts | {:.1} | {:.1} | **{:.2}** | {:.2} to {:.2} | {:.1} ms, bare {:.1} ms |",
                thousands(store.users),
                rate.median,
                journeys.hashes.median,
                ratio.median,
                ratio.lowest,
                ratio.highest,
                cost.median,
                journeys.hash_cost.median,
            )?;
        }
    }
    writeln!(
        text,
        "\n| memory and start | idle | under load, at most | load over | start to first answer |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|")?;
    for store in &results.stores {
        writeln!(
            text,
            "| {} accounts | {} MB | {} MB | {} MB | {:.0} ms ({:.0} to {:.0}) |",
            thousands(store.users),
            mega(store.idle.resident),
            mega(store.loaded.peak),
            mega(store.after.resident),
            store.starts.median,
            store.starts.lowest,
            store.starts.highest,
        )?;
    }
    let first = results.first_starts;
    writeln!(text, "\n| and | |\n|---|--:|")?;
    writeln!(
        text,
        "| the first start of all, which makes the store and the signing keys | {:.0} ms ({:.0} to {:.0}) |",
        first.median, first.lowest, first.highest
    )?;
    writeln!(text, "| the program's file | {} MB |", mega(results.binary_bytes))?;
    for page in &results.pages {
        writeln!(
            text,
            "| the {} page as it travels (unpacked) | {} bytes ({}) |",
            page.name, page.travels, page.bytes
        )?;
    }
    for store in &results.stores {
        writeln!(
            text,
            "| {} accounts imported; the database then | {:.1} s; {} MB |",
            thousands(store.users),
            store.imported_in,
            mega(store.database_bytes),
        )?;
    }
    Ok(())
}

fn in_code(name: &str) -> String {
    match name.split_once(',') {
        Some((path, rest)) if path.starts_with('/') => format!("`{path}`,{rest}"),
        None if name.starts_with('/') => format!("`{name}`"),
        _ => name.to_owned(),
    }
}

/// A number with its thousands set apart.
pub(crate) fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate, rounded to what repeats: hundreds.
pub(crate) fn per_second(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "far below 2^32, and not negative"
    )]
    thousands((rate / 100.0).round() as u32 * 100)
}

/// Millions of bytes.
pub(crate) fn mega(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mega = bytes as f64 / 1e6;
    format!("{mega:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(thousands(999), "999");
        assert_eq!(per_second(23_456.0), "23,500");
        assert_eq!(mega(19_460_000), "19.5");
        assert_eq!(
            in_code("/oidc/auth, app of the store"),
            "`/oidc/auth`, app of the store"
        );
        assert_eq!(in_code("discovery, compressed"), "discovery, compressed");
    }
}
