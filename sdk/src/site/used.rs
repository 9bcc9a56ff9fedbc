//! Callbacks that were taken. A code that is sent twice makes some providers revoke what it gave the first time.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::cookies::short_hash;
use crate::remembered::Remembered;

/// The cookie is gone with the first answer: this is the second line.
const MOST: usize = 10_000;

pub(super) struct Used {
    states: Mutex<Remembered<()>>,
}

impl Used {
    pub(super) fn new() -> Self {
        Self {
            states: Mutex::new(Remembered::new(MOST)),
        }
    }

    /// Whether this is the first callback for `state`. Only who has the sealed cookie comes this far.
    pub(super) fn take(&self, state: &str, until: SystemTime, now: SystemTime) -> bool {
        let state = short_hash(state);
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.find(&state, now).is_some() {
            return false;
        }
        states.keep(state, (), until, now);
        true
    }
}
