//! Sign-in on a device without a browser of its own: a television, a terminal on another machine (RFC 8628).

mod begin;
mod poll;

use std::fmt;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::dpop::DpopKey;
use crate::secret::Secret;
use crate::session::Session;

/// Without a word from the provider (section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);

/// A sign-in that was begun on this device and is confirmed on another (RFC 8628 section 3.2).
///
/// Show [`user_code`](Self::user_code) and [`verification_uri`](Self::verification_uri), then
/// [poll](crate::Client::poll_device).
pub struct DeviceSignIn {
    device_code: Secret,
    user_code: String,
    verification_uri: Url,
    verification_uri_complete: Option<Url>,
    expires_at: SystemTime,
    interval: Duration,
    next_poll_at: SystemTime,
    dpop_key: Option<DpopKey>,
}

impl DeviceSignIn {
    /// What the person types, as the provider wrote it. Show it large, also beside
    /// [`verification_uri_complete`](Self::verification_uri_complete): the person compares it (section 3.3.1).
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the person types it.
    #[must_use]
    pub fn verification_uri(&self) -> &Url {
        &self.verification_uri
    }

    /// The same address with the code in it, for a QR code, where the provider has one.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.verification_uri_complete.as_ref()
    }

    /// When the code is no longer good.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// How long the provider wants between two questions. It grows when the provider says so, or can't be reached.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

/// Without the codes.
impl fmt::Debug for DeviceSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSignIn")
            .field("expires_at", &self.expires_at)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// What a poll brought.
#[derive(Debug)]
#[must_use = "the session is in it, or how long to wait"]
pub enum DevicePoll {
    /// Nobody has confirmed yet: ask again after this time. A call before that asks nobody and says how much is left.
    Wait(Duration),
    /// The person has confirmed.
    SignedIn(Box<Session>),
}
