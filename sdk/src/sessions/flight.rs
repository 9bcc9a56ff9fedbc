//! One request at a time for each session, whatever is asked for.
//!
//! Providers that rotate refresh tokens end the whole family when one is used twice. So the refreshes of a session stand
//! in line, and everybody behind the first looks whether it has brought what they need. A caller may be cancelled at any
//! moment, and the request that it had under way goes on: else the provider's new refresh token would be lost, and with
//! it the session. Where tokio runs, it has a task of its own; elsewhere it stays in the line, and who comes next sees it through.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::access_token::AccessToken;
use super::id::SessionKey;
use super::record::Audience;
use crate::error::SessionError;

/// Lines that nobody stands in, kept for the requests that cancelled callers left in them.
const MOST_LEFT: usize = 10_000;

/// So few pauses are not worth looking through.
const FEW_PAUSES: usize = 64;

pub(super) type Outcome = Result<AccessToken, SessionError>;
type UnderWay = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The lines of all sessions.
#[derive(Default)]
pub(super) struct Flights {
    lines: Mutex<HashMap<SessionKey, Line>>,
    /// After a failed early refresh: until when nobody tries again while the old token works.
    pauses: Mutex<Pauses>,
}

/// Until when each session waits. Those that are over are looked for only once as many came as were there: in an outage
/// every session pauses, and each would else look through all the others.
#[derive(Default)]
struct Pauses {
    until: HashMap<SessionKey, SystemTime>,
    clean_at: usize,
}

/// The line of one session.
#[derive(Default)]
struct Line {
    turn: Arc<AsyncMutex<Turn>>,
    standing: usize,
    /// How many requests have ended.
    ended: u64,
}

#[derive(Default)]
struct Turn {
    under_way: Option<(Audience, UnderWay)>,
    failure: Option<(u64, Audience, SessionError)>,
}

/// A place in a line. The line goes with its last one, unless a request is under way in it.
pub(super) struct Place {
    flights: Arc<Flights>,
    key: SessionKey,
    turn: Arc<AsyncMutex<Turn>>,
    /// How many requests had ended when this caller came.
    came_at: u64,
}

/// The front of a line: whoever holds it may ask the provider.
pub(super) struct Front {
    // Given back before the place is.
    turn: OwnedMutexGuard<Turn>,
    place: Place,
}

impl Flights {
    pub(super) fn join(self: &Arc<Self>, key: &SessionKey) -> Place {
        let mut lines = self.lines();
        if lines.len() >= MOST_LEFT {
            lines.retain(|_, line| line.standing > 0);
        }
        let line = lines.entry(key.clone()).or_default();
        line.standing += 1;
        Place {
            flights: Arc::clone(self),
            key: key.clone(),
            turn: Arc::clone(&line.turn),
            came_at: line.ended,
        }
    }

    pub(super) fn pause(&self, key: &SessionKey, now: SystemTime, until: SystemTime) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        if pauses.until.len() >= pauses.clean_at {
            pauses.until.retain(|_, until| *until > now);
            pauses.clean_at = pauses.until.len().saturating_mul(2).max(FEW_PAUSES);
        }
        pauses.until.insert(key.clone(), until);
    }

    pub(super) fn is_paused(&self, key: &SessionKey, now: SystemTime) -> bool {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.until.get(key).is_some_and(|until| *until > now)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<SessionKey, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) async fn wait(self) -> Front {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        Front { turn, place: self }
    }

    /// The front, unless somebody else is there.
    pub(super) fn step_up(self) -> Option<Front> {
        let turn = Arc::clone(&self.turn).try_lock_owned().ok()?;
        Some(Front { turn, place: self })
    }

    /// Counts a request that has ended.
    fn count(&self) -> u64 {
        let mut lines = self.flights.lines();
        let Some(line) = lines.get_mut(&self.key) else {
            return self.came_at + 1;
        };
        line.ended += 1;
        line.ended
    }
}

impl Front {
    /// The failure of a request for the same tokens that ended while this caller stood in the line, or of one that ended
    /// the session.
    pub(super) fn failure(&self, audience: &Audience) -> Option<SessionError> {
        let (number, of, error) = self.turn.failure.as_ref()?;
        let concerns = of == audience || matches!(error, SessionError::EndedByProvider);
        (*number > self.place.came_at && concerns).then(|| error.clone())
    }

    /// Sees through what a cancelled caller left.
    pub(super) async fn see_through(&mut self) {
        if self.turn.under_way.is_some() {
            // Its failure is kept for who asked for the same.
            let _ = self.run().await;
        }
    }

    pub(super) async fn begin(
        &mut self,
        audience: Audience,
        request: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        self.turn.under_way = Some((audience, Box::pin(request)));
        self.run().await
    }

    async fn run(&mut self) -> Outcome {
        let Some((_, request)) = &mut self.turn.under_way else {
            return Err(SessionError::Busy);
        };
        // It stays where it is while it is awaited: a cancelled caller leaves it there.
        let outcome = request.as_mut().await;
        let number = self.place.count();
        let audience = self.turn.under_way.take().map(|(audience, _)| audience);
        self.turn.failure = match (&outcome, audience) {
            (Err(error), Some(audience)) => Some((number, audience, error.clone())),
            _ => None,
        };
        outcome
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // What has panicked can't be seen through.
        if std::thread::panicking() {
            self.turn.under_way = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.flights.lines();
        let Some(line) = lines.get_mut(&self.key) else {
            return;
        };
        line.standing -= 1;
        let is_idle = || line.turn.try_lock().is_ok_and(|turn| turn.under_way.is_none());
        if line.standing == 0 && is_idle() {
            lines.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::SessionId;

    fn key() -> SessionKey {
        SessionId::parse(&"A".repeat(43)).unwrap().key()
    }

    /// In an outage everybody pauses at once, and nobody looks through all the others for it.
    #[test]
    fn pauses_that_are_over_go_and_are_not_looked_for_every_time() {
        let flights = Flights::default();
        let keys: Vec<_> = (0..1_000)
            .map(|number| SessionId::parse(&format!("{number:0>43}")).unwrap().key())
            .collect();
        let at = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let mut cleanings = 0;
        for key in &keys {
            let before = flights.pauses.lock().unwrap().clean_at;
            flights.pause(key, at(0), at(10));
            cleanings += usize::from(flights.pauses.lock().unwrap().clean_at != before);
        }
        assert!(cleanings <= 6, "{cleanings}");
        assert!(keys.iter().all(|key| flights.is_paused(key, at(9))));
        assert!(!flights.is_paused(&keys[0], at(10)));
        for key in &keys[..100] {
            flights.pause(key, at(10), at(20));
        }
        let left = flights.pauses.lock().unwrap().until.len();
        assert!(left <= 1_000, "{left}");
        for key in &keys {
            flights.pause(key, at(30), at(40));
        }
        flights.pause(&key(), at(50), at(60));
        assert!(flights.pauses.lock().unwrap().until.len() <= 2_000);
    }

    /// Both leave at once: neither takes the other for somebody who stays.
    #[test]
    fn a_line_goes_with_its_last_place() {
        let flights = Arc::new(Flights::default());
        for _ in 0..200 {
            let places = [flights.join(&key()), flights.join(&key())];
            std::thread::scope(|scope| {
                for place in places {
                    scope.spawn(|| drop(place));
                }
            });
            assert!(flights.lines().is_empty());
        }
    }

    /// Without tokio, the request of a cancelled caller waits in its line for who comes next.
    #[test]
    fn what_a_cancelled_caller_left_keeps_its_line_and_is_seen_through() {
        let flights = Arc::new(Flights::default());
        let (answer, answered) = tokio::sync::oneshot::channel::<()>();
        let mut context = Context::from_waker(Waker::noop());
        let cancelled = async {
            let mut front = flights.join(&key()).wait().await;
            let request = async {
                answered.await.unwrap();
                Err(SessionError::NoRefreshToken)
            };
            front.begin(Audience::default(), request).await
        };
        let mut cancelled = Box::pin(cancelled);
        assert!(cancelled.as_mut().poll(&mut context).is_pending());
        drop(cancelled);
        assert_eq!(flights.lines().len(), 1);

        answer.send(()).unwrap();
        let next = async {
            let mut front = flights.join(&key()).wait().await;
            front.see_through().await;
            front.failure(&Audience::default())
        };
        let std::task::Poll::Ready(failure) = Box::pin(next).as_mut().poll(&mut context) else {
            panic!("nothing is awaited any more")
        };
        assert!(matches!(failure, Some(SessionError::NoRefreshToken)));
        assert!(flights.lines().is_empty());
    }

    #[test]
    fn lines_that_nobody_stands_in_are_bounded() {
        let flights = Arc::new(Flights::default());
        let stays = flights.join(&key());
        for number in 0..MOST_LEFT + 10 {
            let text = format!("{number:0>43}");
            let key = SessionId::parse(&text).unwrap().key();
            let mut front = flights.join(&key).step_up().unwrap();
            front.turn.under_way = Some((Audience::default(), Box::pin(std::future::pending())));
        }
        assert!(flights.lines().len() <= MOST_LEFT);
        assert!(flights.lines().contains_key(&key()));
        drop(stays);
    }
}
