//! Describing how sessions are kept.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::flight::Flights;
use super::fresh::Successors;
use super::logouts::{LogoutRegistry, MemoryLogouts};
use super::store::{MemoryStore, TokenStore};
use super::{Sessions, Shared};
use crate::client::Client;
use crate::error::{Error, SessionError};
use crate::sealing::{KeyRing, SealError};

const LABEL: &[u8] = b"keyback session v1";
/// As long as providers keep a session that nobody uses.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const EARLY: Duration = Duration::from_secs(60);

/// Describes [`Sessions`].
#[must_use = "nothing happens before `build`"]
pub struct SessionsBuilder {
    client: Client,
    secrets: Vec<Zeroizing<Vec<u8>>>,
    store: Arc<dyn TokenStore>,
    logouts: Arc<dyn LogoutRegistry>,
    lifetime: Duration,
    early: Duration,
}

impl SessionsBuilder {
    pub(super) fn new(client: Client, secret: &[u8]) -> Self {
        Self {
            client,
            secrets: vec![Zeroizing::new(secret.to_vec())],
            store: Arc::new(MemoryStore::new()),
            logouts: Arc::new(MemoryLogouts::new()),
            lifetime: LIFETIME,
            early: EARLY,
        }
    }

    /// Also opens what an earlier secret has sealed. To change the secret without signing anybody out: the new one seals,
    /// both open.
    pub fn and_opens(mut self, earlier: impl AsRef<[u8]>) -> Self {
        self.secrets.push(Zeroizing::new(earlier.as_ref().to_vec()));
        self
    }

    /// Where they are kept. [`MemoryStore`] by default.
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = store;
        self
    }

    /// Who remembers sessions that ended before their time. [`MemoryLogouts`] by default, which a restart empties: sessions
    /// that had ended are then open again. [`FileLogouts`](crate::FileLogouts) last.
    pub fn logout_registry(mut self, registry: Arc<dyn LogoutRegistry>) -> Self {
        self.logouts = registry;
        self
    }

    /// How long a session lasts at most, from the sign-in on. Two weeks by default.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long before its end an access token is replaced, at most. One minute by default; the moment is drawn for each
    /// token between half of it and all of it.
    pub fn early(mut self, early: Duration) -> Self {
        self.early = early;
        self
    }

    /// Nothing is read or written yet.
    ///
    /// # Errors
    ///
    /// [`SessionError::ShortKey`] for a secret of less than 32 bytes.
    pub fn build(self) -> Result<Sessions, Error> {
        let [first, earlier @ ..] = self.secrets.as_slice() else {
            return Err(SessionError::ShortKey.into());
        };
        let mut keys = KeyRing::new(first, LABEL).map_err(translate)?;
        for secret in earlier {
            keys.and_opens(secret).map_err(translate)?;
        }
        Ok(Sessions {
            store: self.store,
            shared: Arc::new(Shared {
                client: self.client,
                keys,
                lifetime: self.lifetime,
                early: self.early,
                logouts: self.logouts,
                flights: Arc::new(Flights::default()),
                successors: Successors::default(),
            }),
        })
    }
}

fn translate(error: SealError) -> SessionError {
    match error {
        SealError::ShortKey => SessionError::ShortKey,
        SealError::Failed => SessionError::Seal,
    }
}
