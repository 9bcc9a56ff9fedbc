//! Step 7: the same token is accepted once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::LogoutTokenError;

/// Only tokens with a right signature come here, so a stranger can't fill it.
const MOST: usize = 10_000;

/// The tokens that were verified and are still good. Lost at a restart: then a repeat ends a session that has ended.
#[derive(Default)]
pub(crate) struct Replays {
    seen: Mutex<HashMap<String, SystemTime>>,
}

impl Replays {
    /// Remembers a token until `until`; an error where it was seen before. When there are very many, those that end
    /// first are forgotten first.
    pub(super) fn remember(
        &self,
        token_id: &str,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), LogoutTokenError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(token_id).is_some_and(|until| *until > now) {
            return Err(LogoutTokenError::Replayed);
        }
        if seen.len() >= MOST {
            seen.retain(|_, until| *until > now);
        }
        if seen.len() >= MOST
            && let Some(first) = seen
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(id, _)| id.clone())
        {
            seen.remove(&first);
        }
        seen.insert(token_id.to_owned(), until);
        Ok(())
    }
}
