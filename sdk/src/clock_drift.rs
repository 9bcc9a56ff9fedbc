//! How far this machine's clock is from the provider's: the usual reason why a good token is refused.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::DateTime;
use http::HeaderMap;
use http::header::{AGE, DATE};

use crate::clock::Clock;
use crate::transport::{HttpTransport, TransportFuture};

const UNKNOWN: i64 = i64::MIN;
/// A `Date` header has whole seconds, and an answer takes a while: less than this is no drift.
const NOTABLE: u64 = 5;

/// The difference of two clocks, estimated by the `Date` header of the provider's last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDrift {
    /// This machine's time less the provider's.
    seconds: i64,
}

impl ClockDrift {
    /// Whether this machine's clock is ahead of the provider's. If not, it is behind.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.seconds > 0
    }

    /// By how much, in whole seconds.
    #[must_use]
    pub fn amount(&self) -> Duration {
        Duration::from_secs(self.seconds.unsigned_abs())
    }

    /// The provider's time.
    pub(crate) fn provider_time(self, now: SystemTime) -> SystemTime {
        let other = if self.is_ahead() {
            now.checked_sub(self.amount())
        } else {
            now.checked_add(self.amount())
        };
        other.unwrap_or(now)
    }
}

impl fmt::Display for ClockDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_ahead() { "ahead of" } else { "behind" };
        let seconds = self.seconds.unsigned_abs();
        write!(
            f,
            "this machine's clock is about {seconds} s {side} the provider's"
        )
    }
}

/// The drift as a part of an error's text.
pub(crate) fn told(drift: &Option<ClockDrift>) -> String {
    drift.map_or_else(String::new, |drift| format!(": {drift}"))
}

/// A transport that reads the time off every answer.
pub(crate) struct TimedTransport {
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    drift: AtomicI64,
}

impl TimedTransport {
    pub(crate) fn new(transport: Arc<dyn HttpTransport>, clock: Arc<dyn Clock>) -> Self {
        Self {
            transport,
            clock,
            drift: AtomicI64::new(UNKNOWN),
        }
    }

    /// `None` while nothing is known, or the clocks agree.
    pub(crate) fn drift(&self) -> Option<ClockDrift> {
        let seconds = self.drift.load(Ordering::Relaxed);
        let notable = seconds != UNKNOWN && seconds.unsigned_abs() >= NOTABLE;
        notable.then_some(ClockDrift { seconds })
    }

    fn read(&self, headers: &HeaderMap) {
        if let Some(time) = time_of(headers) {
            let now = DateTime::<chrono::Utc>::from(self.clock.now()).timestamp();
            self.drift.store(now.saturating_sub(time), Ordering::Relaxed);
        }
    }
}

impl HttpTransport for TimedTransport {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let answer = self.transport.send(request).await?;
            self.read(answer.headers());
            Ok(answer)
        })
    }
}

/// When the answer was made (RFC 9110 section 6.6.1), and how long a cache has kept it since (RFC 9111 section 5.1).
fn time_of(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let made = DateTime::parse_from_rfc2822(date).ok()?.timestamp();
    let age = headers
        .get(AGE)
        .and_then(|age| age.to_str().ok()?.parse::<u32>().ok())
        .unwrap_or(0);
    Some(made + i64::from(age))
}
