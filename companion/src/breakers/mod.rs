//! Circuit breakers (SR-87): a peer that is down is left alone for a while, so that nobody waits for it and nothing that
//! waits behind it is held up.
//!
//! Each channel, webhook and app has a circuit of its own, in the memory of the process: another process finds out by
//! itself, and so does this one after a restart. What counts is a failure that says "nobody can be served now"; a refusal of
//! one message is an answer, and closes the circuit as any other. A failure that may lie in what was asked, which a stranger
//! may have chosen, counts once for each recipient or client: one mailbox that holds every mail up stops no other mail.

mod breaker;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::random::{self, Random};
use keyback_core::time::{Clock, Timestamp};

use crate::metrics::Metrics;
use breaker::{About, Admitted, Breaker, Failed};

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Circuit {
    /// The server that carries e-mail.
    Email,
    /// The provider that carries text messages.
    Sms,
    /// A webhook, by its id.
    Webhook(String),
    /// An app's `backchannel_logout_uri`, by its client id.
    App(String),
    /// Who verifies answers of the captcha.
    Captcha,
    /// Who knows the breached passwords.
    Breached,
}

/// What a circuit leads to, in one word: a label of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CircuitKind {
    Email,
    Sms,
    Webhook,
    App,
    Captcha,
    Breached,
}

impl CircuitKind {
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Sms,
        Self::Webhook,
        Self::App,
        Self::Captcha,
        Self::Breached,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Webhook => "webhook",
            Self::App => "app",
            Self::Captcha => "captcha",
            Self::Breached => "breached",
        }
    }
}

impl Circuit {
    /// The channel to an address.
    pub fn to(address: &Identifier) -> Self {
        match address {
            Identifier::Email(_) => Self::Email,
            Identifier::Phone(_) => Self::Sms,
        }
    }

    pub fn kind(&self) -> CircuitKind {
        match self {
            Self::Email => CircuitKind::Email,
            Self::Sms => CircuitKind::Sms,
            Self::Webhook(_) => CircuitKind::Webhook,
            Self::App(_) => CircuitKind::App,
            Self::Captcha => CircuitKind::Captcha,
            Self::Breached => CircuitKind::Breached,
        }
    }
}

/// One word, as it stands in rows of jobs and is told to the operator.
impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().as_str();
        match self {
            Self::Webhook(id) | Self::App(id) => write!(f, "{kind}:{id}"),
            Self::Email | Self::Sms | Self::Captcha | Self::Breached => f.write_str(kind),
        }
    }
}

/// Nobody was called: the circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has failed several times in a row, and is left alone for a while")]
pub struct Paused;

/// What a failed call says of the peer.
pub trait TellsOfPeer: fmt::Display + From<Paused> {
    /// Whether the peer can serve nobody now: it refuses connections, doesn't answer in time, or says so itself.
    fn peer_is_down(&self) -> bool;

    /// Whether it may be down for this call alone, because of what the call asks.
    fn may_be_about_the_call(&self) -> bool {
        false
    }

    /// How long the peer asks to be left alone.
    fn asks_to_wait(&self) -> Option<Duration> {
        None
    }

    /// Whether it was not called at all, so that nothing is known of it.
    fn says_nothing(&self) -> bool {
        false
    }
}

/// An open circuit, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCircuit {
    pub circuit: Circuit,
    pub since: Timestamp,
    pub cause: String,
}

/// The circuits. Cheap to clone.
#[derive(Clone)]
pub struct Breakers {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Metrics,
    /// Makes numbers of what calls are about, by a key of this process.
    about: RandomState,
    /// Those with something to remember.
    circuits: Mutex<BTreeMap<Circuit, Breaker>>,
}

impl Breakers {
    /// All circuits closed.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, metrics: Metrics) -> Self {
        let shared = Shared {
            clock,
            random,
            metrics,
            about: RandomState::new(),
            circuits: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Makes a call of which nobody from outside has chosen what it is about, unless the circuit is open.
    ///
    /// # Errors
    ///
    /// The call's own, or what [`Paused`] becomes where no call was made.
    pub async fn call<T, E: TellsOfPeer>(
        &self,
        circuit: Circuit,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.make(circuit, None, call).await
    }

    /// Makes a call that is about somebody, such as the recipient of a message, unless the circuit is open.
    ///
    /// # Errors
    ///
    /// As of [`call`](Self::call).
    pub async fn call_about<T, E: TellsOfPeer>(
        &self,
        circuit: Circuit,
        whom: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let about = About(self.shared.about.hash_one(whom));
        self.make(circuit, Some(about), call).await
    }

    async fn make<T, E: TellsOfPeer>(
        &self,
        circuit: Circuit,
        about: Option<About>,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let permit = self.admit(circuit)?;
        let done = call.await;
        match &done {
            Err(error) if error.peer_is_down() => permit.failed(Failed {
                cause: error.to_string(),
                asked: error.asks_to_wait(),
                about: about.filter(|_| error.may_be_about_the_call()),
            }),
            Err(error) if error.says_nothing() => drop(permit),
            Ok(_) | Err(_) => permit.answered(),
        }
        done
    }

    /// The circuits through which nothing goes at this moment: what waits for them need not be taken up.
    pub fn turning_away(&self) -> Vec<Circuit> {
        let now = self.shared.clock.now();
        let circuits = self.shared.circuits();
        let open = circuits.iter().filter(|(_, breaker)| breaker.turns_away(now));
        open.map(|(circuit, _)| circuit.clone()).collect()
    }

    /// The circuits that are open, or being probed.
    pub fn open(&self) -> Vec<OpenCircuit> {
        let circuits = self.shared.circuits();
        let open = circuits.iter().filter_map(|(circuit, breaker)| {
            let pause = breaker.pause()?;
            Some(OpenCircuit {
                circuit: circuit.clone(),
                since: pause.since,
                cause: pause.cause.clone(),
            })
        });
        open.collect()
    }

    fn admit(&self, circuit: Circuit) -> Result<Permit<'_>, Paused> {
        let now = self.shared.clock.now();
        // No entry is a closed circuit.
        let admitted = match self.shared.circuits().get_mut(&circuit) {
            Some(breaker) => breaker.admit(now).ok_or(Paused)?,
            None => Admitted::Call,
        };
        Ok(Permit {
            shared: &self.shared,
            circuit,
            admitted,
            is_settled: false,
        })
    }
}

impl Shared {
    /// No breaker is left half changed: what is changed under the lock can't panic.
    fn circuits(&self) -> MutexGuard<'_, BTreeMap<Circuit, Breaker>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that was let through. Dropped before its end, with the request or job around it, it has found nothing out.
struct Permit<'a> {
    shared: &'a Shared,
    circuit: Circuit,
    admitted: Admitted,
    is_settled: bool,
}

impl Permit<'_> {
    fn answered(mut self) {
        self.is_settled = true;
        let ended = self
            .shared
            .circuits()
            .remove(&self.circuit)
            .and_then(|mut breaker| breaker.answered());
        if let Some(pause) = ended {
            let down_s = self.shared.clock.now().since(pause.since).as_secs();
            tracing::info!(circuit = %self.circuit, down_s, "answers again, and is called as before");
        }
    }

    fn failed(mut self, failed: Failed) {
        self.is_settled = true;
        let now = self.shared.clock.now();
        let [share] = random::bytes::<1>(self.shared.random.as_ref());
        let cause = failed.cause.clone();
        let began = self
            .shared
            .circuits()
            .entry(self.circuit.clone())
            .or_default()
            .failed(self.admitted, failed, now, share);
        if let Some(pause) = began {
            self.shared.metrics.circuit_opened(self.circuit.kind());
            tracing::warn!(
                circuit = %self.circuit, %cause, pause_s = pause.as_secs_f32(),
                "is left alone after {} failures in a row; what it should carry waits, and one try at a time finds out when \
                 it answers again",
                breaker::MOST_FAILURES
            );
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_settled
            && let Some(breaker) = self.shared.circuits().get_mut(&self.circuit)
        {
            breaker.given_back(self.admitted, self.shared.clock.now());
        }
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breakers")
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
