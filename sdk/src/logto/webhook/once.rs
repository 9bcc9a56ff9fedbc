//! Each delivery once, although it may come more than once.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::{Delivery, WebhookReceiver};
use crate::error::WebhookError;
use crate::remembered::Remembered;
use crate::sessions::{StoreError, StoreFuture};

/// Longer than any sender goes on trying.
const REMEMBERED_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A handler that has not answered by then has died with its process.
const CLAIM_LASTS: Duration = Duration::from_secs(60);
const MOST: usize = 100_000;

/// What a handler has failed with.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// Remembers which deliveries were handled. Behind several servers it is a table of their database, with the fingerprint
/// as its key; for one server there is [`MemoryDeliveries`].
pub trait DeliveryStore: Send + Sync {
    /// Claims a delivery for whoever handles it now. Of several claims at once, one is
    /// [`First`](Claim::First). A claim that was neither settled nor given up within a minute counts no longer: its holder
    /// has died.
    fn claim<'a>(&'a self, fingerprint: &'a str, now: SystemTime) -> StoreFuture<'a, Claim>;

    /// The delivery was handled: later claims are [`Handled`](Claim::Handled), for a week.
    fn settle<'a>(&'a self, fingerprint: &'a str, now: SystemTime) -> StoreFuture<'a, ()>;

    /// The delivery could not be handled: the next claim is the first again.
    fn give_up<'a>(&'a self, fingerprint: &'a str) -> StoreFuture<'a, ()>;
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Whoever asked handles it.
    First,
    /// Somebody else handles it now.
    UnderWay,
    /// It was handled.
    Handled,
}

/// What became of a delivery that was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was handled.
    Handled,
    /// It had been handled before, and nothing was done.
    Repeated,
}

impl WebhookReceiver {
    /// Verifies a delivery and hands it to `handle`, once for each event however often it comes. Where `handle` fails, the
    /// sender is told, and the companion's next try is handed over again.
    ///
    /// What `handle` does should bear being done twice all the same: a process that dies between doing it and noting it leaves
    /// no trace.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with its [`status`](WebhookError::status).
    pub async fn receive<H, F>(
        &self,
        seen: &dyn DeliveryStore,
        headers: &HeaderMap,
        raw_body: &[u8],
        handle: H,
    ) -> Result<Received, WebhookError>
    where
        H: FnOnce(Delivery) -> F,
        F: Future<Output = Result<(), HandlerError>>,
    {
        let delivery = self.verify(headers, raw_body)?;
        let fingerprint = delivery.fingerprint().to_owned();
        let failed = |error: StoreError| WebhookError::NotHandled(error.to_string());
        let now = self.clock.now();
        match seen.claim(&fingerprint, now).await.map_err(failed)? {
            Claim::Handled => return Ok(Received::Repeated),
            Claim::UnderWay => return Err(WebhookError::UnderWay),
            Claim::First => {}
        }
        if let Err(error) = handle(delivery).await {
            seen.give_up(&fingerprint).await.map_err(failed)?;
            return Err(WebhookError::NotHandled(error.to_string()));
        }
        seen.settle(&fingerprint, now).await.map_err(failed)?;
        Ok(Received::Handled)
    }
}

/// Remembers in memory, 100,000 deliveries at most. Lost at a restart: then a repeat within the receiver's tolerance is handled
/// again.
#[derive(Debug)]
pub struct MemoryDeliveries {
    claims: Mutex<Remembered<Claim>>,
}

impl MemoryDeliveries {
    /// One that remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            claims: Mutex::new(Remembered::new(MOST)),
        }
    }

    fn claims(&self) -> MutexGuard<'_, Remembered<Claim>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryDeliveries {
    fn default() -> Self {
        Self::new()
    }
}

impl DeliveryStore for MemoryDeliveries {
    fn claim<'a>(&'a self, fingerprint: &'a str, now: SystemTime) -> StoreFuture<'a, Claim> {
        Box::pin(async move {
            let mut claims = self.claims();
            if let Some(claim) = claims.find(fingerprint, now) {
                return Ok(*claim);
            }
            // Only verified deliveries come here, so nobody else can fill it.
            claims.keep(fingerprint.to_owned(), Claim::UnderWay, now + CLAIM_LASTS, now);
            Ok(Claim::First)
        })
    }

    fn settle<'a>(&'a self, fingerprint: &'a str, now: SystemTime) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.claims()
                .keep(fingerprint.to_owned(), Claim::Handled, now + REMEMBERED_FOR, now);
            Ok(())
        })
    }

    fn give_up<'a>(&'a self, fingerprint: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.claims().forget(fingerprint);
            Ok(())
        })
    }
}
