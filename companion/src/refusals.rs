//! Refusals that change nothing: too often, no room, a form of another site. Each is counted for Prometheus at once, and
//! told in the audit trail a little later, many of one kind in one line. A flood costs no write of its own that way, and
//! the answer waits for none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyback_core::rate_limit::ClientPrefix;
use keyback_core::time::Timestamp;
use serde_json::json;
use tokio::sync::watch;

use crate::app::Companion;
use crate::http::server::told_to_stop;
use crate::metrics::{Place, Reason};
use crate::store::StoreError;
use crate::store::audit::{self, Actor, Line};

/// How often what was refused is written down. A process that is killed loses as much.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// Kinds that are told apart meanwhile; of more, clients are no longer told apart.
const MOST_KINDS: usize = 32;

/// What was refused and is not written yet.
#[derive(Debug, Default)]
pub struct Refusals {
    waiting: Mutex<HashMap<Kind, Tally>>,
}

/// What one line of the trail tells together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    place: Place,
    reason: Reason,
    from: Option<ClientPrefix>,
}

#[derive(Clone, Debug)]
struct Tally {
    first: Timestamp,
    times: u64,
    address: Option<IpAddr>,
}

impl Refusals {
    fn note(&self, place: Place, reason: Reason, address: IpAddr, now: Timestamp) {
        let mut waiting = self.lock();
        let mut kind = Kind {
            place,
            reason,
            from: Some(ClientPrefix::from(address)),
        };
        let mut address = Some(address);
        if waiting.len() >= MOST_KINDS && !waiting.contains_key(&kind) {
            (kind.from, address) = (None, None);
        }
        let tally = waiting.entry(kind).or_insert(Tally {
            first: now,
            times: 0,
            address,
        });
        tally.times += 1;
    }

    fn take(&self) -> HashMap<Kind, Tally> {
        std::mem::take(&mut *self.lock())
    }

    /// Puts back what could not be written.
    fn put_back(&self, unwritten: HashMap<Kind, Tally>) {
        let mut waiting = self.lock();
        for (kind, tally) in unwritten {
            waiting
                .entry(kind)
                .and_modify(|later| {
                    later.first = tally.first;
                    later.times += tally.times;
                })
                .or_insert(tally);
        }
    }

    /// A panic while the lock is held leaves whole tallies.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Kind, Tally>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Companion {
    /// Counts a refusal that nothing else writes down.
    pub(crate) fn note_refusal(&self, place: Place, reason: Reason, address: IpAddr) {
        self.metrics.refused(place, reason);
        self.refusals.note(place, reason, address, self.clock.now());
    }

    /// Writes down what was refused since the last time.
    pub async fn write_refusals(&self) -> Result<(), StoreError> {
        let waiting = self.refusals.take();
        if waiting.is_empty() {
            return Ok(());
        }
        let written = self.write_tallies(&waiting).await;
        if written.is_err() {
            self.refusals.put_back(waiting);
        }
        written
    }

    async fn write_tallies(&self, waiting: &HashMap<Kind, Tally>) -> Result<(), StoreError> {
        // Nobody acts on them: a power cut may take them back.
        let mut tx = self.store.begin_quick().await?;
        for (kind, tally) in waiting {
            let address = tally.address.map(|address| address.to_string());
            let line = Line {
                at: tally.first,
                event: "refused",
                actor: Actor::Visitor,
                subject: None,
                identifier: None,
                client_id: None,
                client_ip: address.as_deref(),
            };
            let detail = json!({
                "at": kind.place.as_str(),
                "reason": kind.reason.as_str(),
                "times": tally.times,
            });
            audit::write_with_detail(&mut *tx, self.random.as_ref(), &line, &detail.to_string()).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Writes refusals down until `stop` becomes true, and those of the last moments then.
pub async fn run(companion: Arc<Companion>, mut stop: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(WRITE_EVERY);
    let mut stopped = false;
    while !stopped {
        tokio::select! {
            _ = every.tick() => {}
            () = told_to_stop(&mut stop) => stopped = true,
        }
        if let Err(error) = companion.write_refusals().await {
            tracing::error!(%error, "what was refused could not be written into the audit trail");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn refusals_of_one_kind_are_one_line() {
        let refusals = Refusals::default();
        let address = IpAddr::from([192, 0, 2, 7]);
        for _ in 0..1_000 {
            refusals.note(Place::SignIn, Reason::Limit, address, NOW);
        }
        refusals.note(Place::Form, Reason::OtherSite, address, NOW);
        let mut times: Vec<_> = refusals.take().into_values().map(|tally| tally.times).collect();
        times.sort_unstable();
        assert_eq!(times, [1, 1_000]);
        assert!(refusals.take().is_empty());
    }

    #[test]
    fn a_flood_from_everywhere_is_a_bounded_number_of_lines() {
        let refusals = Refusals::default();
        for number in 0..100_000_u32 {
            let address = IpAddr::from(Ipv4Addr::from_bits(number));
            refusals.note(Place::SignIn, Reason::Limit, address, NOW);
        }
        let waiting = refusals.take();
        assert_eq!(waiting.len(), MOST_KINDS + 1);
        assert_eq!(waiting.values().map(|tally| tally.times).sum::<u64>(), 100_000);
    }
}
