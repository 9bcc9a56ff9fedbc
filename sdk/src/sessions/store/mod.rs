//! Where sessions are kept, and the port behind which it lies.

mod cookie;
mod file;
mod memory;
pub(super) mod private;
#[cfg(feature = "tower-sessions")]
mod tower_sessions;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::cookie::CookieStore;
pub(crate) use self::cookie::session_prefix;
pub use self::file::FileStore;
pub use self::memory::MemoryStore;
#[cfg(feature = "tower-sessions")]
pub use self::tower_sessions::TowerSessionStore;
use super::SessionKey;

/// What the methods of the stores return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps sessions. They come sealed: a store, its backups and its operators see no token.
///
/// One rule makes it safe: [`save`](Self::save) compares the version before it writes, in one step. So a refresh that is
/// under way while somebody signs out can't bring the session back, and of two that refresh at once one wins. In SQL:
///
/// ```sql
/// INSERT INTO session (key, version, expires_at, sealed) VALUES (…) ON CONFLICT DO NOTHING;  -- replaces: None
/// UPDATE session SET version = …, sealed = … WHERE key = … AND version = …;                  -- replaces: Some(version)
/// ```
///
/// and [`Saved::Conflict`] where no row was written. [`MemoryStore`] is the shortest example.
pub trait TokenStore: Send + Sync {
    /// The session as it was last saved. `None` where there is none.
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>>;

    /// Saves the session in place of the version `replaces`, or as a new one for `None`; [`Saved::Conflict`] where
    /// another version, or none, is there now.
    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved>;

    /// Forgets the session. That there is none is no error.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()>;
}

/// How a [`save`](TokenStore::save) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "with a conflict nothing was saved"]
pub enum Saved {
    /// It is saved.
    Done,
    /// Another version is there, or none: nothing was saved.
    Conflict,
}

/// A session as a store keeps it: encrypted with AES-256-GCM, and bound to its key and version.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSession {
    version: u64,
    expires_at: SystemTime,
    sealed: Vec<u8>,
}

impl SealedSession {
    /// Out of the three columns of a store.
    #[must_use]
    pub fn new(version: u64, expires_at: SystemTime, sealed: Vec<u8>) -> Self {
        Self {
            version,
            expires_at,
            sealed,
        }
    }

    /// Counts the saves of this session.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// From when on a store may forget it, in whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The ciphertext.
    #[must_use]
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// All of it in one text of bytes, for stores without columns.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let seconds = self
            .expires_at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let mut bytes = Vec::with_capacity(16 + self.sealed.len());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&seconds.to_be_bytes());
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote. `None` for what can't be that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<8>()?;
        let (seconds, sealed) = rest.split_first_chunk::<8>()?;
        let seconds = Duration::from_secs(u64::from_be_bytes(*seconds));
        Some(Self {
            version: u64::from_be_bytes(*version),
            expires_at: UNIX_EPOCH.checked_add(seconds)?,
            sealed: sealed.to_vec(),
        })
    }
}

impl fmt::Debug for SealedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSession")
            .field("version", &self.version)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The session has too much to keep for this kind of store. What can be fetched again is then left out.
    #[error("the session is larger than the {limit} bytes that the store can keep")]
    TooLarge {
        /// The most that it keeps.
        limit: usize,
    },
    /// Anything else, such as a database that does not answer.
    #[error("the session store failed")]
    Failed(#[source] StoreCause),
}

impl StoreError {
    /// Wraps an error of the store's own.
    pub fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(StoreCause(Arc::new(cause)))
    }
}

/// The store's own error, shared because everybody who waited for a session is told. It is the source of a
/// [`StoreError`] and no part of its text: a database's words may hold its address.
#[derive(Clone, Debug)]
pub struct StoreCause(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for StoreCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for StoreCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
