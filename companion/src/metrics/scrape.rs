//! One answer to Prometheus: how it stands now, and what was counted.

use keyback_core::time::Timestamp;
use prometheus_client::encoding::text::encode;

use super::{Metrics, labels, process};
use crate::breakers::{CircuitKind, OpenCircuit};
use crate::hashing::Waiting;
use crate::outbox::JobKind;
use crate::store::jobs::OfKind;

/// The text format of OpenMetrics, which Prometheus reads.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How the companion stands at the moment.
#[derive(Clone, Debug)]
pub struct Standing {
    pub now: Timestamp,
    /// What waits in the outbox; none where the store can't be read.
    pub outbox: Option<Vec<OfKind>>,
    pub hashing: Waiting,
    /// The channels that were probed, and whether their servers answered.
    pub channels: Vec<(&'static str, bool)>,
    /// Peers that are left alone.
    pub open: Vec<OpenCircuit>,
}

impl Metrics {
    /// Writes everything down, with how it stands.
    pub fn scrape(&self, standing: &Standing) -> Result<String, std::fmt::Error> {
        self.store_up.set(standing.outbox.is_some().into());
        // What is not known is left out rather than told as it last was.
        self.outbox.clear();
        self.outbox_oldest.clear();
        for kind in standing.outbox.iter().flat_map(|_| JobKind::ALL) {
            let rows = standing.outbox.iter().flatten();
            let row = rows.into_iter().find(|row| row.kind == kind.as_str());
            let label = [("kind", kind.as_str())];
            self.outbox
                .get_or_create(&label)
                .set(row.map_or(0, |row| row.count));
            let age = row.map_or(0, |row| standing.now.since(row.oldest()).as_secs());
            self.outbox_oldest
                .get_or_create(&label)
                .set(i64::try_from(age).unwrap_or(i64::MAX));
        }
        let Waiting {
            sign_in,
            reset,
            places,
        } = standing.hashing;
        for (lane, waiting) in [("sign_in", sign_in), ("reset", reset)] {
            self.hashing_waiting
                .get_or_create(&[("lane", lane)])
                .set(count(waiting));
        }
        self.hashing_places.set(count(places));
        for (channel, is_up) in &standing.channels {
            self.channels
                .get_or_create(&[("channel", channel)])
                .set((*is_up).into());
        }
        for kind in CircuitKind::ALL {
            let open = standing.open.iter().filter(|open| open.circuit.kind() == kind);
            self.circuits_open
                .get_or_create(&labels::of_circuit(kind))
                .set(count(open.count()));
        }
        if let Some(bytes) = process::resident_memory() {
            self.memory.get_or_create(&[]).set(bytes);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
