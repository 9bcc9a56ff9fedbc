//! Callbacks that were taken. A code that is sent twice makes some providers revoke what it gave the first time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::cookies::short_hash;

const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Used {
    states: Mutex<HashMap<String, SystemTime>>,
}

impl Used {
    /// Whether this is the first callback for `state`. Only who has the sealed cookie comes this far.
    pub(super) fn take(&self, state: &str, until: SystemTime, now: SystemTime) -> bool {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= MOST {
            states.retain(|_, until| *until > now);
        }
        if states.len() >= MOST {
            // The cookie is gone with the first answer: this is the second line.
            states.clear();
        }
        states.insert(short_hash(state), until).is_none()
    }
}
