//! Access tokens that work now, and the memory of what was saved a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::access_token::AccessToken;
use super::flight::{Front, Outcome};
use super::id::SessionKey;
use super::record::{Audience, Freshness};
use super::store::SealedSession;
use super::{REMEMBERED, Sessions};
use crate::detached;
use crate::error::SessionError;

/// After an early refresh that failed: how long the old token serves before the next try.
const PAUSE: Duration = Duration::from_secs(5);

/// What was saved a moment ago, for requests that come with an older cookie.
#[derive(Default)]
pub(super) struct Successors {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<SessionKey, (SealedSession, SystemTime)>,
    /// When those that are over are looked for again: not at every save.
    sweep_at: Option<SystemTime>,
}

impl Successors {
    pub(super) fn find(&self, key: &SessionKey, now: SystemTime) -> Option<SealedSession> {
        let held = self.lock();
        let (session, until) = held.sessions.get(key)?;
        (*until > now).then(|| session.clone())
    }

    pub(super) fn remember(&self, key: &SessionKey, session: SealedSession, now: SystemTime) {
        let mut held = self.lock();
        if held.sweep_at.is_none_or(|at| at <= now) {
            held.sessions.retain(|_, (_, until)| *until > now);
            held.sweep_at = Some(now + REMEMBERED);
        }
        held.sessions.insert(key.clone(), (session, now + REMEMBERED));
    }

    pub(super) fn forget(&self, key: &SessionKey) {
        self.lock().sessions.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// An access token that works now.
    pub(super) async fn fresh(&self, key: &SessionKey, audience: &Audience) -> Outcome {
        let loaded = self.load(key).await?.ok_or(SessionError::Ended)?;
        match loaded.record.token(audience, self.client().now()) {
            Freshness::Fresh(token) => Ok(token),
            Freshness::Due(old) => self.early(key, audience, old).await,
            Freshness::Missing => self.fetched(key, audience).await,
        }
    }

    /// A new token in good time. The old one still works, so nobody waits for another task, nor fails because the
    /// provider does.
    async fn early(&self, key: &SessionKey, audience: &Audience, old: AccessToken) -> Outcome {
        let now = self.client().now();
        let flights = &self.shared.flights;
        if flights.is_paused(key, now) {
            return Ok(old);
        }
        let Some(front) = flights.join(key).step_up() else {
            return Ok(old);
        };
        let outcome = self.at_front(key, audience, front).await;
        match outcome {
            Err(error) if leaves_the_old_token(&error) => {
                tracing::warn!(
                    code = error.code(),
                    "an early refresh failed; the old token serves on"
                );
                flights.pause(key, now, now + PAUSE);
                Ok(old)
            }
            outcome => outcome,
        }
    }

    /// A new token, in this session's line.
    pub(super) async fn fetched(&self, key: &SessionKey, audience: &Audience) -> Outcome {
        let front = self.shared.flights.join(key).wait().await;
        self.at_front(key, audience, front).await
    }

    /// Goes on when its caller is cancelled.
    async fn at_front(&self, key: &SessionKey, audience: &Audience, front: Front) -> Outcome {
        let turn = self.clone().take_turn(key.clone(), audience.clone(), front);
        let outcome = detached::see_through(turn).await;
        outcome.unwrap_or(Err(SessionError::Interrupted))
    }

    async fn take_turn(self, key: SessionKey, audience: Audience, mut front: Front) -> Outcome {
        front.see_through().await;
        if let Some(failure) = front.failure(&audience) {
            return Err(failure);
        }
        // Somebody before this caller may have brought it.
        let loaded = self.load(&key).await?.ok_or(SessionError::Ended)?;
        if let Freshness::Fresh(token) = loaded.record.token(&audience, self.client().now()) {
            return Ok(token);
        }
        let request = self.refresh(key, audience.clone());
        front.begin(audience, request).await
    }
}

/// Whether the old token may serve on: nothing is said against it or the session.
fn leaves_the_old_token(error: &SessionError) -> bool {
    let wants_keys = matches!(error, SessionError::Refresh(cause) if cause.is_for_want_of_keys());
    wants_keys || error.is_retryable()
}
