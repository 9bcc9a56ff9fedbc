//! One request at a time for each session, whatever is asked for.
//!
//! Providers that rotate refresh tokens end the whole family when one is used twice. So the refreshes of a session stand
//! in line, and everybody behind the first looks whether it has brought what they need. A caller may be cancelled at any
//! moment; the request that it had under way stays in the line, and who comes next sees it through: else the
//! provider's new refresh token would be lost, and with it the session.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Mutex as AsyncMutex;

use super::access_token::AccessToken;
use super::id::SessionKey;
use super::record::Audience;
use crate::error::SessionError;

pub(super) type Outcome = Result<AccessToken, SessionError>;
type UnderWay = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The lines of all sessions.
#[derive(Default)]
pub(super) struct Flights {
    lines: Mutex<HashMap<SessionKey, Arc<Line>>>,
    /// After a failed early refresh: until when nobody tries again while the old token works.
    pauses: Mutex<HashMap<SessionKey, SystemTime>>,
}

/// The line of one session.
#[derive(Default)]
pub(super) struct Line {
    /// Counts the requests that have ended.
    ended: AtomicU64,
    pub(super) turn: AsyncMutex<Turn>,
}

/// Whoever holds it may ask the provider.
#[derive(Default)]
pub(super) struct Turn {
    under_way: Option<(Audience, UnderWay)>,
    failure: Option<(u64, Audience, SessionError)>,
}

/// A place in a line. The line goes with its last one, unless a request is under way in it.
pub(super) struct Place<'f> {
    flights: &'f Flights,
    key: &'f SessionKey,
    line: Arc<Line>,
    /// How many requests had ended when this caller came.
    came_at: u64,
}

impl Flights {
    pub(super) fn join<'f>(&'f self, key: &'f SessionKey) -> Place<'f> {
        let line = Arc::clone(self.lines().entry(key.clone()).or_default());
        let came_at = line.ended.load(Ordering::Acquire);
        Place {
            flights: self,
            key,
            line,
            came_at,
        }
    }

    pub(super) fn pause(&self, key: &SessionKey, now: SystemTime, until: SystemTime) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|_, until| *until > now);
        pauses.insert(key.clone(), until);
    }

    pub(super) fn is_paused(&self, key: &SessionKey, now: SystemTime) -> bool {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.get(key).is_some_and(|until| *until > now)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// The failure of a request for the same tokens that ended while this caller stood in the line, or of one that ended
    /// the session.
    pub(super) fn failure(&self, turn: &Turn, audience: &Audience) -> Option<SessionError> {
        let (number, of, error) = turn.failure.as_ref()?;
        let concerns = of == audience || matches!(error, SessionError::EndedByProvider);
        (*number > self.came_at && concerns).then(|| error.clone())
    }
}

impl Line {
    /// Sees through what a cancelled caller left.
    pub(super) async fn see_through(&self, turn: &mut Turn) {
        if turn.under_way.is_some() {
            // Its failure is kept for who asked for the same.
            let _ = self.run(turn).await;
        }
    }

    pub(super) async fn begin(
        &self,
        turn: &mut Turn,
        audience: Audience,
        request: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        turn.under_way = Some((audience, Box::pin(request)));
        self.run(turn).await
    }

    async fn run(&self, turn: &mut Turn) -> Outcome {
        let Some((_, request)) = &mut turn.under_way else {
            return Err(SessionError::Busy);
        };
        // It stays where it is while it is awaited: a cancelled caller leaves it there.
        let outcome = request.as_mut().await;
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        let audience = turn.under_way.take().map(|(audience, _)| audience);
        turn.failure = match (&outcome, audience) {
            (Err(error), Some(audience)) => Some((number, audience, error.clone())),
            _ => None,
        };
        outcome
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = self.flights.lines();
        // The map's own and this one: nobody else stands in it.
        let is_last = Arc::strong_count(&self.line) <= 2;
        let is_idle = self
            .line
            .turn
            .try_lock()
            .is_ok_and(|turn| turn.under_way.is_none());
        if is_last && is_idle {
            lines.remove(self.key);
        }
    }
}
