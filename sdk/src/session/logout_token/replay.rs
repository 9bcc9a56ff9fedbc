//! Step 7: the same token is accepted once.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::remembered::Remembered;
use crate::sessions::StoreFuture;

/// Only tokens with a right signature come here, so a stranger can't fill it.
const MOST: usize = 10_000;

/// Remembers the logout tokens that were accepted, for as long as they are good. Replicas may share one; where they don't,
/// a token that is sent to each of them ends sessions that have ended.
///
/// In SQL: `INSERT INTO replay (token, until) VALUES (…) ON CONFLICT DO NOTHING`, and whether a row was written.
pub trait ReplayStore: Send + Sync {
    /// Remembers `token` until `until`. Whether it was new.
    fn remember<'a>(&'a self, token: &'a str, until: SystemTime, now: SystemTime) -> StoreFuture<'a, bool>;
}

/// Remembers in memory. When there are very many, those that end first are forgotten first.
pub struct MemoryReplays {
    seen: Mutex<Remembered<()>>,
}

impl MemoryReplays {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seen: Mutex::new(Remembered::new(MOST)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered<()>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryReplays {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayStore for MemoryReplays {
    fn remember<'a>(&'a self, token: &'a str, until: SystemTime, now: SystemTime) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut seen = self.lock();
            let is_new = seen.find(token, now).is_none();
            if is_new {
                seen.keep(token.to_owned(), (), until, now);
            }
            Ok(is_new)
        })
    }
}

impl fmt::Debug for MemoryReplays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplays")
            .field("tokens", &self.lock().len())
            .finish()
    }
}
