//! The pictures: small SVG files of our own, which follow the reader's light or dark scheme and stay legible on a
//! phone.

mod chart;

use std::path::Path;

use anyhow::Result;

use crate::report::{Results, Store, mega, per_second, thousands};
use crate::stats::Spread;
use chart::{Bar, Chart, Kind, Row};

/// What issue 3 asks for.
const OIDC_AUTH_AT_LEAST: f64 = 0.7;
const DISCOVERY_AT_LEAST: f64 = 0.9;
const SIGN_INS_AT_LEAST: f64 = 0.95;
const IDLE_AT_MOST: f64 = 20e6;
const START_AT_MOST: f64 = 50.0;

/// Writes `answers.svg`, `journeys.svg` and `footprint.svg`.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, chart) in [
        ("answers.svg", answers(results)),
        ("journeys.svg", journeys(results)),
        ("footprint.svg", footprint(results)),
    ] {
        std::fs::write(folder.join(name), chart.draw())?;
    }
    Ok(())
}

/// Requests a second, of the smallest store: the number of accounts changes nothing about them.
fn answers(results: &Results) -> Chart {
    let rates = results.stores.first().map(|store| store.answers.as_slice());
    let rows = rates.unwrap_or_default().iter().map(|rate| Row {
        label: rate.name.to_owned(),
        result: format!("{:.2}", rate.ratio.median),
        bars: vec![
            bar(Kind::Ours, rate.ours, per_second(rate.ours.median)),
            bar(Kind::Bare, rate.bare, per_second(rate.bare.median)),
        ],
        target: match rate.name {
            "/oidc/auth" => Some(OIDC_AUTH_AT_LEAST * rate.bare.median),
            "discovery" => Some(DISCOVERY_AT_LEAST * rate.bare.median),
            _ => None,
        },
        scale: None,
    });
    Chart {
        title: "Answers a second".to_owned(),
        subtitle: "on one processor, beside hyper alone giving the same bytes".to_owned(),
        legend: vec![(Kind::Ours, "companion"), (Kind::Bare, "bare hyper")],
        target: Some("asked for at least"),
        result: "ratio",
        rows: rows.collect(),
    }
}

fn journeys(results: &Results) -> Chart {
    let rows = results.stores.iter().flat_map(|store| {
        let journeys = &store.journeys;
        let row = |name: &str, rate: Spread, ratio: Spread, target| Row {
            label: format!("{name}, {} accounts", thousands(store.users)),
            result: format!("{:.2}", ratio.median),
            bars: vec![
                bar(Kind::Ours, rate, format!("{:.1}", rate.median)),
                bar(
                    Kind::Bare,
                    journeys.hashes,
                    format!("{:.1}", journeys.hashes.median),
                ),
            ],
            target,
            scale: None,
        };
        let least = SIGN_INS_AT_LEAST * journeys.hashes.median;
        [
            row("sign-ins", journeys.sign_ins, journeys.sign_in_ratio, Some(least)),
            row("resets", journeys.resets, journeys.reset_ratio, None),
        ]
    });
    Chart {
        title: "Sign-ins and resets a second".to_owned(),
        subtitle: "on one processor, beside bare argon2 hashes of the same cost".to_owned(),
        legend: vec![(Kind::Ours, "companion"), (Kind::Bare, "bare argon2")],
        target: Some("asked for at least"),
        result: "ratio",
        rows: rows.collect(),
    }
}

fn footprint(results: &Results) -> Chart {
    let mut rows: Vec<Row> = results.stores.iter().flat_map(memory).collect();
    let longest = results.stores.iter().map(|store| store.starts.highest);
    let longest = longest.fold(results.first_starts.highest.max(START_AT_MOST), f64::max);
    let start = |label: String, starts: Spread| Row {
        label,
        result: format!("{:.0} ms", starts.median),
        bars: vec![bar(Kind::Ours, starts, String::new())],
        target: Some(START_AT_MOST),
        scale: Some(longest),
    };
    for store in &results.stores {
        let label = format!("start to first answer, {} accounts", thousands(store.users));
        rows.push(start(label, store.starts));
    }
    rows.push(Row {
        target: None,
        ..start(
            "the first start of all, which makes keys".to_owned(),
            results.first_starts,
        )
    });
    Chart {
        title: "Memory and start".to_owned(),
        subtitle: "resident memory of the process; milliseconds to the first answer".to_owned(),
        legend: vec![(Kind::Ours, "companion")],
        target: Some("asked for at most"),
        result: "",
        rows,
    }
}

fn memory(store: &Store) -> [Row; 3] {
    let users = thousands(store.users);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let row = |name: &str, bytes: u64, target| Row {
        label: format!("{name}, {users} accounts"),
        result: format!("{} MB", mega(bytes)),
        bars: vec![bar(Kind::Ours, Spread::of(&[bytes as f64]), String::new())],
        target,
        scale: Some(store.loaded.peak.max(store.idle.resident) as f64),
    };
    [
        row("idle", store.idle.resident, Some(IDLE_AT_MOST)),
        row("under load, at most", store.loaded.peak, None),
        row("when the load is over", store.after.resident, None),
    ]
}

fn bar(kind: Kind, spread: Spread, text: String) -> Bar {
    Bar { kind, spread, text }
}
