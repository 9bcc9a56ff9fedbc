//! Sessions in the memory of one process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::SessionKey;
use super::{Saved, SealedSession, StoreFuture, TokenStore};

const MOST: usize = 100_000;

/// Keeps sessions in memory: they end with the process, and other replicas don't know them. At 100,000 those that
/// expire first make room.
#[derive(Default)]
pub struct MemoryStore {
    sessions: Mutex<HashMap<SessionKey, SealedSession>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionKey, SealedSession>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>> {
        Box::pin(async move { Ok(self.sessions().get(key).cloned()) })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            let mut sessions = self.sessions();
            if sessions.get(key).map(SealedSession::version) != replaces {
                return Ok(Saved::Conflict);
            }
            if sessions.len() >= MOST && replaces.is_none() {
                make_room(&mut sessions);
            }
            sessions.insert(key.clone(), session);
            Ok(Saved::Done)
        })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.sessions().remove(key);
            Ok(())
        })
    }
}

/// A tenth at once, so that looking for them is rare.
fn make_room(sessions: &mut HashMap<SessionKey, SealedSession>) {
    let mut ends: Vec<_> = sessions
        .iter()
        .map(|(key, session)| (session.expires_at(), key.clone()))
        .collect();
    ends.sort_unstable_by_key(|(end, _)| *end);
    for (_, key) in ends.into_iter().take(MOST / 10) {
        sessions.remove(&key);
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("sessions", &self.sessions().len())
            .finish()
    }
}
