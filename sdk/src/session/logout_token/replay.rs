//! Step 7: the same token is accepted once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

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

    /// Forgets `token`, because what it asked for could not be done.
    fn forget<'a>(&'a self, token: &'a str) -> StoreFuture<'a, ()>;
}

/// Remembers in memory. When there are very many, those that end first are forgotten first.
#[derive(Default)]
pub struct MemoryReplays {
    seen: Mutex<HashMap<String, SystemTime>>,
}

impl MemoryReplays {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, SystemTime>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplayStore for MemoryReplays {
    fn remember<'a>(&'a self, token: &'a str, until: SystemTime, now: SystemTime) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut seen = self.lock();
            if seen.get(token).is_some_and(|until| *until > now) {
                return Ok(false);
            }
            if seen.len() >= MOST {
                seen.retain(|_, until| *until > now);
            }
            if seen.len() >= MOST
                && let Some(first) = seen
                    .iter()
                    .min_by_key(|(_, until)| **until)
                    .map(|(token, _)| token.clone())
            {
                seen.remove(&first);
            }
            seen.insert(token.to_owned(), until);
            Ok(true)
        })
    }

    fn forget<'a>(&'a self, token: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.lock().remove(token);
            Ok(())
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
