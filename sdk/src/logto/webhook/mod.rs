//! Receiving webhooks: a delivery is verified over its raw body, and becomes a typed event.
//!
//! A callback never tells that a password was changed; the `PostResetPassword` webhook does. Keyback's companion and
//! Logto send the same bodies. They differ in what they sign, so a receiver is made for one of them:
//!
//! | | signs | against replay |
//! |---|---|---|
//! | the companion | the time of sending and the body: `keyback-signature: t=…,v1=…` | five minutes either way |
//! | Logto | the body: `logto-signature-sha-256` | five minutes from the signed `createdAt` |
//!
//! A delivery may come more than once: the companion tries again until it is answered, and within the window anybody who
//! has seen one can repeat it. [`WebhookReceiver::receive`] handles each once, with a [`DeliveryStore`] that remembers:
//!
//! ```
//! use keyback::logto::webhook::{Event, MemoryDeliveries, WebhookReceiver};
//!
//! # async fn end_sessions(_user_id: &str) -> Result<(), std::io::Error> { Ok(()) }
//! /// `POST /webhooks`: the status to answer with.
//! async fn receive(
//!     webhooks: &WebhookReceiver,
//!     seen: &MemoryDeliveries,
//!     headers: &http::HeaderMap,
//!     raw_body: &[u8],
//! ) -> u16 {
//!     let handled = webhooks.receive(seen, headers, raw_body, |delivery| async move {
//!         if let Event::PostResetPassword(reset) = delivery.event() {
//!             end_sessions(&reset.user.id).await?; // a failure makes the companion try again
//!         }
//!         Ok(())
//!     });
//!     match handled.await {
//!         Ok(_) => 204,
//!         Err(error) => error.status(), // log `error`: it says what to do
//!     }
//! }
//! ```
//!
//! Or verify alone, and remember yourself:
//!
//! ```
//! use keyback::logto::webhook::{Event, WebhookReceiver};
//!
//! # fn end_sessions(_user_id: &str) {}
//! # fn build() -> Result<WebhookReceiver, keyback::WebhookError> {
//! // Two keys while one takes the other's place.
//! let webhooks = WebhookReceiver::keyback(["the signing_key of [[webhook]]", "the one before it"])?;
//! # Ok(webhooks)
//! # }
//!
//! /// `POST /webhooks`: the status to answer with.
//! fn receive(webhooks: &WebhookReceiver, headers: &http::HeaderMap, raw_body: &[u8]) -> u16 {
//!     let delivery = match webhooks.verify(headers, raw_body) {
//!         Ok(delivery) => delivery,
//!         Err(error) => return error.status(), // log `error`: it says what to do
//!     };
//!     // At least once: the same event may come again, under the same `delivery.fingerprint()`.
//!     match delivery.event() {
//!         Event::PostResetPassword(reset) => end_sessions(&reset.user.id),
//!         _ => {}
//!     }
//!     204
//! }
//! ```
//!
//! Give [`WebhookReceiver::verify`] the bytes as they arrived. JSON that was parsed and written again has another
//! signature.

mod event;
mod once;
mod signature;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use http::HeaderMap;
use serde_json::{Map, Value};

pub use self::event::{AccountChange, Application, Event, Visit};
pub use self::once::{Claim, DeliveryStore, HandlerError, MemoryDeliveries, Received};
use self::signature::Key;
use crate::clock::{Clock, SystemClock};
pub use crate::error::WebhookError;
pub use crate::logto::User;

/// The header with the signature of the body alone: 64 hexadecimal digits of HMAC-SHA256.
pub const LOGTO_SIGNATURE: &str = "logto-signature-sha-256";
/// The header with the companion's signature over time and body.
pub const KEYBACK_SIGNATURE: &str = "keyback-signature";
/// The header with the companion's name for a delivery, the same at each try. It is not signed: write it into
/// logs, and recognize repeats by [`Delivery::fingerprint`].
pub const KEYBACK_DELIVERY: &str = "keyback-delivery";

const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Verifies deliveries of one webhook. Cheap to clone.
#[derive(Clone)]
pub struct WebhookReceiver {
    sender: Sender,
    keys: Arc<[Key]>,
    tolerance: Duration,
    clock: Arc<dyn Clock>,
}

/// Who sends, and so which signature counts. A receiver that took either would give up the companion's protection
/// against replay: whoever repeats a delivery leaves the header with the time away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Keyback,
    Logto,
}

/// A delivery that was verified: it comes from who holds the signing key.
#[derive(Clone)]
pub struct Delivery {
    id: Option<String>,
    fingerprint: String,
    sent_at: Option<SystemTime>,
    event: Event,
    body: Map<String, Value>,
}

impl WebhookReceiver {
    /// A receiver of what Keyback's companion sends. Keys that are accepted: one, or two while one takes the other's
    /// place.
    ///
    /// # Errors
    ///
    /// [`WebhookError::NoKey`] without a key, or with an empty one.
    pub fn keyback(keys: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, WebhookError> {
        Self::new(Sender::Keyback, keys)
    }

    /// A receiver of what Logto sends; its console shows the signing key. Logto signs no time of sending, but sends at once and
    /// never again: how old the event is stands in the signed body, and what is older than the
    /// [`tolerance`](Self::tolerance) is refused. The companion's first tries pass too, but its later ones don't: use
    /// [`keyback`](Self::keyback) for them.
    ///
    /// # Errors
    ///
    /// [`WebhookError::NoKey`] without a key, or with an empty one.
    pub fn logto(keys: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, WebhookError> {
        Self::new(Sender::Logto, keys)
    }

    /// How old a delivery may be, and how far ahead the sender's clock. Five minutes by default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The clock. The system's by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Verifies a delivery: the signature over the bytes of the body, in constant time, and the time; of the companion's
    /// before the body is read, of Logto's by what the body says.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]: answer with its [`status`](WebhookError::status), and nothing of the delivery may be believed.
    pub fn verify(&self, headers: &HeaderMap, raw_body: &[u8]) -> Result<Delivery, WebhookError> {
        let sent_at = match self.sender {
            Sender::Logto => {
                signature::check_body(&self.keys, headers, raw_body)?;
                None
            }
            Sender::Keyback => {
                let sent_at = signature::check_timed(&self.keys, headers, raw_body)?;
                self.check_time(sent_at)?;
                Some(sent_at)
            }
        };
        let body = serde_json::from_slice(raw_body).map_err(|_| WebhookError::NotJson)?;
        let delivery = Delivery {
            id: single(headers, KEYBACK_DELIVERY)?.map(str::to_owned),
            fingerprint: signature::to_hex(digest::digest(&digest::SHA256, raw_body).as_ref()),
            sent_at,
            event: Event::parse(&body)?,
            body,
        };
        if sent_at.is_none() {
            self.check_time(delivery.created_at().ok_or(WebhookError::NoTime)?)?;
        }
        Ok(delivery)
    }

    fn new(sender: Sender, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, WebhookError> {
        let keys: Arc<[Key]> = keys
            .into_iter()
            .map(|key| Key::new(key.as_ref()))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(WebhookError::NoKey);
        }
        Ok(Self {
            sender,
            keys,
            tolerance: TOLERANCE,
            clock: Arc::new(SystemClock),
        })
    }

    fn check_time(&self, sent_at: SystemTime) -> Result<(), WebhookError> {
        match self.clock.now().duration_since(sent_at) {
            Ok(age) if age > self.tolerance => Err(WebhookError::TooOld { age }),
            Err(ahead) if ahead.duration() > self.tolerance => Err(WebhookError::FromTheFuture {
                ahead: ahead.duration(),
            }),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookReceiver")
            .field("sender", &self.sender)
            .field("keys", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

impl Delivery {
    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The event's name as it was sent.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("event").unwrap_or_default()
    }

    /// SHA-256 of the body in hexadecimal: one for all tries of one event, and nobody can change it without the
    /// signing key. Remember it to do nothing twice, as [`WebhookReceiver::receive`] does.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The companion's name for the delivery. Not signed: for logs alone.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// When this try was sent. Only the companion tells.
    #[must_use]
    pub fn sent_at(&self) -> Option<SystemTime> {
        self.sent_at
    }

    /// When it happened.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let at = chrono::DateTime::parse_from_rfc3339(self.text("createdAt")?).ok()?;
        Some(at.into())
    }

    /// Which of the sender's webhooks this is.
    #[must_use]
    pub fn hook_id(&self) -> Option<&str> {
        self.text("hookId")
    }

    /// Any member of the body, for events and members that have no type here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

/// Names without values: a body is personal data, and logs are read by many.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("fingerprint", &self.fingerprint)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// The one value of a header, as text; `None` where the header is not there.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, WebhookError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(WebhookError::Repeated { header: name });
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(WebhookError::Malformed { header: name }),
    }
}
