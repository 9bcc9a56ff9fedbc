//! What the samples say.

use std::fmt;
use std::time::Duration;

use super::Samples;
use super::statistics::{compare, median};

/// Between these an AUC tells nothing (SR-2).
const TOLD_NOTHING: std::ops::RangeInclusive<f64> = 0.45..=0.55;

/// The medians of all states, and how each compares with the first.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    state: String,
    count: usize,
    median: Duration,
    /// AUC and p, beside the first state.
    compared: Option<(f64, f64)>,
}

impl Report {
    /// Compares every state with the first.
    pub fn of(samples: &[Samples]) -> Self {
        let first = samples.first().map(|first| first.times.as_slice());
        let rows = samples.iter().enumerate().map(|(index, of)| Row {
            state: of.state.clone(),
            count: of.times.len(),
            median: median(&of.times),
            compared: first.filter(|_| index > 0).map(|first| {
                let comparison = compare(first, &of.times);
                (comparison.auc, comparison.p)
            }),
        });
        Self { rows: rows.collect() }
    }

    /// Whether no state can be told from the first.
    pub fn tells_nothing(&self) -> bool {
        self.rows
            .iter()
            .filter_map(|row| row.compared)
            .all(|(auc, _)| TOLD_NOTHING.contains(&auc))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:>7} {:>12} {:>7} {:>8}",
            "state", "count", "median", "AUC", "p"
        )?;
        for row in &self.rows {
            let median = format!("{:.3} ms", row.median.as_secs_f64() * 1_000.0);
            write!(f, "{:<16} {:>7} {median:>12}", row.state, row.count)?;
            match row.compared {
                Some((auc, p)) => writeln!(f, " {auc:>7.4} {p:>8.4}")?,
                None => writeln!(f, " {:>7} {:>8}", "", "")?,
            }
        }
        Ok(())
    }
}
