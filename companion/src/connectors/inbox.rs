//! The development inbox: keeps every message in memory and shows it at `/dev/inbox`. Loopback only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use keyback_core::time::{Clock, Timestamp};
use serde::Serialize;

use super::Outgoing;
use crate::time_text;

/// More messages than these push the oldest out.
const CAPACITY: usize = 500;

/// A message as `/dev/inbox.json` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    pub to: String,
    /// `email` or `sms`.
    pub channel: &'static str,
    pub kind: &'static str,
    pub subject: String,
    pub text: String,
    pub code: Option<String>,
    /// RFC 3339.
    pub at: String,
    #[serde(skip)]
    pub arrived: Timestamp,
}

/// The messages, shared by all that deliver and show them.
#[derive(Clone)]
pub struct Inbox {
    letters: Arc<Mutex<VecDeque<Letter>>>,
    clock: Arc<dyn Clock>,
}

impl Inbox {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            letters: Arc::default(),
            clock,
        }
    }

    /// All messages, the newest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    pub(super) fn put(&self, channel: &'static str, outgoing: &Outgoing<'_>) {
        let arrived = self.clock.now();
        let letter = Letter {
            to: outgoing.to.as_str().to_owned(),
            channel,
            kind: outgoing.kind.as_str(),
            subject: outgoing.message.subject.clone(),
            text: outgoing.message.text.to_string(),
            code: outgoing.code.map(str::to_owned),
            at: time_text::rfc3339(arrived),
            arrived,
        };
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push_front(letter);
        letters.truncate(CAPACITY);
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inbox(..)")
    }
}
