//! What happened since this process started, and how it stands now, for Prometheus. No label is anything that a
//! visitor sent: each is one of a few words.

mod labels;
mod process;
mod scrape;

use std::sync::Arc;

use keyback_core::time::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use labels::{Outcome, Place, Reason, Step};
pub use scrape::{CONTENT_TYPE, Standing};

use crate::breakers::CircuitKind;
use crate::outbox::JobKind;

type Label = (&'static str, &'static str);

/// Counts, and writes what was counted down. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    steps: Family<[Label; 1], Counter>,
    sign_ins: Counter,
    refusals: Family<[Label; 2], Counter>,
    jobs: Family<[Label; 2], Counter>,
    store_up: Gauge,
    outbox: Family<[Label; 1], Gauge>,
    outbox_oldest: Family<[Label; 1], Gauge>,
    hashing_waiting: Family<[Label; 1], Gauge>,
    hashing_places: Gauge,
    channels: Family<[Label; 1], Gauge>,
    circuits_open: Family<[Label; 1], Gauge>,
    circuits_opened: Family<[Label; 1], Counter>,
    memory: Family<[Label; 0], Gauge>,
    registry: Arc<Registry>,
}

impl Metrics {
    /// Counters at 0, of a process that starts now.
    pub fn new(now: Timestamp) -> Self {
        let mut root = Registry::default();
        let registry = root.sub_registry_with_prefix("keyback");
        let steps = Family::default();
        registry.register(
            "reset_steps",
            "Steps of resets that were taken: from the first code asked for to the first sign-in with the new password",
            Family::clone(&steps),
        );
        let sign_ins = Counter::default();
        registry.register("sign_ins", "Sign-ins by password", sign_ins.clone());
        let refusals = Family::default();
        registry.register(
            "refusals",
            "Requests that were refused, by where and why",
            Family::clone(&refusals),
        );
        let jobs = Family::default();
        registry.register(
            "jobs",
            "Tries of jobs, by what became of them: messages, logout tokens, webhooks",
            Family::clone(&jobs),
        );
        let store_up = Gauge::default();
        registry.register("store_up", "Whether the database could be read", store_up.clone());
        let outbox = Family::default();
        registry.register(
            "outbox_jobs",
            "Jobs that wait or are under way",
            Family::clone(&outbox),
        );
        let outbox_oldest = Family::default();
        registry.register_with_unit(
            "outbox_oldest_age",
            "How long ago the oldest job was written; 0 where there is none",
            Unit::Seconds,
            Family::clone(&outbox_oldest),
        );
        let hashing_waiting = Family::default();
        registry.register(
            "hashing_waiting",
            "Passwords that wait for a hashing thread",
            Family::clone(&hashing_waiting),
        );
        let hashing_places = Gauge::default();
        registry.register(
            "hashing_places",
            "Places that each queue of hashing has; who finds none is told to come again",
            hashing_places.clone(),
        );
        let channels = Family::default();
        registry.register(
            "channel_up",
            "Whether the server that carries the messages of a channel answered the last probe",
            Family::clone(&channels),
        );
        let circuits_open = Family::default();
        registry.register(
            "circuits_open",
            "Peers that are left alone because they were down, by what they are: their jobs wait",
            Family::clone(&circuits_open),
        );
        let circuits_opened = Family::default();
        registry.register(
            "circuits_opened",
            "How often a peer was found to be down and left alone",
            Family::clone(&circuits_opened),
        );
        let version = ("version", env!("CARGO_PKG_VERSION"));
        registry.register("build", "The version that runs", Info::new([version]));
        let memory = Family::default();
        // Every program tells these under the same names.
        let process = root.sub_registry_with_prefix("process");
        process.register_with_unit(
            "resident_memory",
            "Memory that this process has in use",
            Unit::Bytes,
            Family::clone(&memory),
        );
        let started = Gauge::<i64>::default();
        started.set(now.as_secs());
        process.register_with_unit(
            "start_time",
            "When this process started, since 1970",
            Unit::Seconds,
            started,
        );
        let metrics = Self {
            steps,
            sign_ins,
            refusals,
            jobs,
            store_up,
            outbox,
            outbox_oldest,
            hashing_waiting,
            hashing_places,
            channels,
            circuits_open,
            circuits_opened,
            memory,
            registry: Arc::new(root),
        };
        metrics.begin_at_zero();
        metrics
    }

    /// A step of a reset was taken.
    pub fn step(&self, step: Step) {
        self.steps.get_or_create(&labels::of_step(step)).inc();
    }

    /// Somebody signed in, by a new password for the first time or as always.
    pub fn signed_in(&self, is_first_after_reset: bool) {
        self.sign_ins.inc();
        if is_first_after_reset {
            self.step(Step::SignedInAgain);
        }
    }

    /// A request was refused.
    pub fn refused(&self, place: Place, reason: Reason) {
        self.refusals
            .get_or_create(&labels::of_refusal(place, reason))
            .inc();
    }

    /// A job was tried.
    pub fn job(&self, kind: JobKind, outcome: Outcome) {
        self.jobs.get_or_create(&labels::of_job(kind, outcome)).inc();
    }

    /// A peer was found to be down.
    pub fn circuit_opened(&self, kind: CircuitKind) {
        self.circuits_opened
            .get_or_create(&labels::of_circuit(kind))
            .inc();
    }

    /// What has not happened yet is 0: a rate over what is not there shows nothing of the first time it happens.
    fn begin_at_zero(&self) {
        for step in Step::ALL {
            self.steps.get_or_create(&labels::of_step(step)).inc_by(0);
        }
        for (place, reason) in labels::REFUSALS {
            self.refusals
                .get_or_create(&labels::of_refusal(place, reason))
                .inc_by(0);
        }
        for kind in CircuitKind::ALL {
            self.circuits_opened
                .get_or_create(&labels::of_circuit(kind))
                .inc_by(0);
        }
        for kind in JobKind::ALL {
            for outcome in Outcome::ALL {
                self.jobs.get_or_create(&labels::of_job(kind, outcome)).inc_by(0);
            }
        }
    }
}
