//! Who has been signed out: asked whenever a session is opened, so that an end elsewhere takes effect at once.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::SessionKey;
use super::ends::{End, Ends};
use super::store::StoreFuture;
use crate::session::{Claims, LogoutToken};

/// Remembers which sessions have ended before their time: by the provider's `sid`, all of a person by `sub`, or one by
/// its key. It should outlive the process, as [`FileLogouts`](crate::FileLogouts) do, and replicas have to share one, as they share a
/// store; with [`CookieStore`](crate::CookieStore) it is all that keeps an old cookie from being of use.
///
/// It is a list of ends, not of sessions: it has a row for each sign-out, until the sessions it could mean have
/// expired. In SQL: `INSERT … ON CONFLICT (mark) DO UPDATE SET at = …, until = …`, and a `SELECT` by `mark`.
pub trait LogoutRegistry: Send + Sync {
    /// Remembers until `until` that what `mark` names ended at `at`. A later end takes the place of an earlier one.
    fn end<'a>(&'a self, mark: &'a LogoutMark, at: SystemTime, until: SystemTime) -> StoreFuture<'a, ()>;

    /// When each of these ended; `None` for those that have not.
    fn ends<'a>(&'a self, marks: &'a [LogoutMark]) -> StoreFuture<'a, Vec<Option<SystemTime>>>;
}

/// What an end names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogoutMark(String);

impl LogoutMark {
    pub(super) fn session(key: &SessionKey) -> Self {
        Self(format!("key:{}", key.as_str()))
    }

    /// The session of the provider.
    pub(super) fn provider_session(issuer: &str, sid: &str) -> Self {
        Self(format!("sid:{issuer}:{sid}"))
    }

    /// All sessions of a person.
    pub(super) fn subject(issuer: &str, subject: &str) -> Self {
        Self(format!("sub:{issuer}:{subject}"))
    }

    /// What a logout token names: a session where it names one, else all of the person's.
    pub(super) fn of_token(issuer: &str, token: &LogoutToken) -> Option<Self> {
        match (token.session_id(), token.subject()) {
            (Some(sid), _) => Some(Self::provider_session(issuer, sid)),
            (None, Some(subject)) => Some(Self::subject(issuer, subject)),
            (None, None) => None,
        }
    }

    /// Everything that would end a session of these claims.
    pub(super) fn all_of(key: &SessionKey, issuer: &str, claims: &Claims) -> Vec<Self> {
        let mut marks = vec![Self::session(key), Self::subject(issuer, claims.subject())];
        marks.extend(claims.session_id().map(|sid| Self::provider_session(issuer, sid)));
        marks
    }

    /// What [`as_str`](Self::as_str) gave.
    pub(super) fn of_text(text: String) -> Self {
        Self(text)
    }

    /// The text, by which a registry keeps it: at most 255 characters beside the issuer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keeps the ends in memory: lost with the process, and not known to other replicas. After a restart a session that had
/// ended is open again, if its cookie, or its row in a store, is still there. It is for trials and tests;
/// [`FileLogouts`](crate::FileLogouts) last. At 100,000 those that are over make room; where none is, the tenth that is over first is
/// forgotten, and a warning logged.
#[derive(Default)]
pub struct MemoryLogouts {
    ends: Mutex<Ends>,
}

impl MemoryLogouts {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogoutRegistry for MemoryLogouts {
    fn end<'a>(&'a self, mark: &'a LogoutMark, at: SystemTime, until: SystemTime) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            // There is no clock: an end is told when it happens.
            let forgotten = self.lock().add(mark.clone(), End { at, until }, at);
            forgotten.warn();
            Ok(())
        })
    }

    fn ends<'a>(&'a self, marks: &'a [LogoutMark]) -> StoreFuture<'a, Vec<Option<SystemTime>>> {
        Box::pin(async move {
            let ends = self.lock();
            Ok(marks.iter().map(|mark| ends.find(mark)).collect())
        })
    }
}

impl fmt::Debug for MemoryLogouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLogouts")
            .field("ends", &self.lock().len())
            .finish()
    }
}
