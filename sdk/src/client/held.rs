//! A document of the provider: fetched when first needed, by one caller at a time, kept, and healed.
//!
//! A failure is never kept for long and never takes the place of what is known: the next call after a short pause
//! tries again, and until then a stale document serves.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, MutexGuard};

use crate::clock::Clock;
use crate::error::DiscoveryError;
use crate::random::{Random, fraction};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A fetched document and how long it may serve without asking again.
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    pub(crate) fresh_for: Duration,
}

pub(crate) struct Held<T> {
    current: RwLock<Option<Current<T>>>,
    /// Whoever holds it may fetch. It remembers the last failure.
    flight: Mutex<Option<Failure>>,
}

struct Current<T> {
    value: Arc<T>,
    fresh_until: SystemTime,
}

struct Failure {
    error: DiscoveryError,
    in_a_row: u32,
    at: SystemTime,
    pause: Duration,
}

impl<T> Held<T> {
    pub(crate) fn new() -> Self {
        Self {
            current: RwLock::new(None),
            flight: Mutex::new(None),
        }
    }

    /// The document, fetched where there is none or it is stale.
    pub(crate) async fn load(
        &self,
        clock: &dyn Clock,
        random: &dyn Random,
        fetch: impl Future<Output = Result<Fetched<T>, DiscoveryError>>,
    ) -> Result<Arc<T>, DiscoveryError> {
        match self.current() {
            Some((value, fresh_until)) if clock.now() < fresh_until => Ok(value),
            Some((stale, _)) => {
                // One caller refreshes; the others need not wait, since what is known still serves.
                let Ok(flight) = self.flight.try_lock() else {
                    return Ok(stale);
                };
                Ok(self.fetch(flight, clock, random, fetch).await.unwrap_or(stale))
            }
            None => {
                let flight = self.flight.lock().await;
                // Somebody else may have fetched it while this call waited.
                match self.current() {
                    Some((value, _)) => Ok(value),
                    None => self.fetch(flight, clock, random, fetch).await,
                }
            }
        }
    }

    /// Another document than `tried`, which did not serve: the one that somebody else has fetched meanwhile, or one
    /// fetched now, if `may_fetch` says so. `None` leaves it at `tried`.
    pub(crate) async fn other_than(
        &self,
        tried: &Arc<T>,
        may_fetch: impl FnOnce() -> bool,
        clock: &dyn Clock,
        random: &dyn Random,
        fetch: impl Future<Output = Result<Fetched<T>, DiscoveryError>>,
    ) -> Option<Arc<T>> {
        // Waits for a fetch under way, which may bring what is missing.
        let flight = self.flight.lock().await;
        match self.current() {
            Some((value, _)) if !Arc::ptr_eq(&value, tried) => Some(value),
            _ if may_fetch() => self.fetch(flight, clock, random, fetch).await.ok(),
            _ => None,
        }
    }

    fn current(&self) -> Option<(Arc<T>, SystemTime)> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current
            .as_ref()
            .map(|current| (Arc::clone(&current.value), current.fresh_until))
    }

    async fn fetch(
        &self,
        mut flight: MutexGuard<'_, Option<Failure>>,
        clock: &dyn Clock,
        random: &dyn Random,
        fetch: impl Future<Output = Result<Fetched<T>, DiscoveryError>>,
    ) -> Result<Arc<T>, DiscoveryError> {
        if let Some(failure) = flight.as_ref()
            && failure.is_recent(clock.now())
        {
            return Err(failure.error.clone());
        }
        match fetch.await {
            Ok(fetched) => {
                *flight = None;
                let value = Arc::new(fetched.value);
                let fresh_until = clock.now() + fetched.fresh_for;
                let current = Current {
                    value: Arc::clone(&value),
                    fresh_until,
                };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
                Ok(value)
            }
            Err(error) => {
                let in_a_row = flight.as_ref().map_or(0, |failure| failure.in_a_row) + 1;
                let failure = Failure::new(error.clone(), in_a_row, clock.now(), random);
                tracing::warn!(
                    code = error.code(),
                    failures = in_a_row,
                    pause_ms = failure.pause.as_millis(),
                    "{error}"
                );
                *flight = Some(failure);
                Err(error)
            }
        }
    }
}

impl Failure {
    fn new(error: DiscoveryError, in_a_row: u32, at: SystemTime, random: &dyn Random) -> Self {
        let doubled = FIRST_PAUSE.saturating_mul(1 << in_a_row.saturating_sub(1).min(16));
        // Between half and all of it, so that replicas which lost their provider together do not return together.
        let pause = doubled.min(LONGEST_PAUSE).mul_f64(0.5 + fraction(random) / 2.0);
        Self {
            error,
            in_a_row,
            at,
            pause,
        }
    }

    /// A clock that was set back must not prolong the pause.
    fn is_recent(&self, now: SystemTime) -> bool {
        now.duration_since(self.at).is_ok_and(|since| since < self.pause)
    }
}
