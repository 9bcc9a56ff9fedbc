//! Calls through circuits.

use keyback_core::testing::{ManualClock, SeededRandom};

use super::*;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("no answer")]
    Down,
    #[error("no answer to this")]
    Stuck,
    #[error("no such recipient")]
    Refused,
    #[error("no such address")]
    Unwritable,
    #[error(transparent)]
    Paused(#[from] Paused),
}

impl TellsOfPeer for Trouble {
    fn peer_is_down(&self) -> bool {
        matches!(self, Self::Down | Self::Stuck)
    }

    fn may_be_about_the_call(&self) -> bool {
        *self == Self::Stuck
    }

    fn says_nothing(&self) -> bool {
        *self == Self::Unwritable
    }
}

fn breakers() -> (Breakers, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let metrics = Metrics::new(clock.now());
    let random = Arc::new(SeededRandom::new(87));
    (Breakers::new(Arc::clone(&clock) as _, random, metrics), clock)
}

async fn call(breakers: &Breakers, circuit: &Circuit, done: Result<(), Trouble>) -> Result<(), Trouble> {
    breakers.call(circuit.clone(), async { done }).await
}

async fn open(breakers: &Breakers, circuit: &Circuit) {
    for _ in 0..breaker::MOST_FAILURES {
        assert_eq!(
            call(breakers, circuit, Err(Trouble::Down)).await,
            Err(Trouble::Down)
        );
    }
}

#[tokio::test]
async fn sr87_an_open_circuit_calls_nobody_and_holds_up_no_other() {
    let (breakers, clock) = breakers();
    let [mute, other] = ["mute", "other"].map(|id| Circuit::Webhook(id.to_owned()));
    open(&breakers, &mute).await;
    let called = std::cell::Cell::new(false);
    let done = breakers.call(mute.clone(), async {
        called.set(true);
        Ok::<_, Trouble>(())
    });
    assert_eq!(done.await, Err(Trouble::Paused(Paused)));
    assert!(!called.get());
    assert_eq!(call(&breakers, &other, Ok(())).await, Ok(()));
    assert_eq!(breakers.turning_away(), std::slice::from_ref(&mute));
    let told = breakers.open().remove(0);
    assert_eq!((told.since, told.cause.as_str()), (clock.now(), "no answer"));
    assert_eq!(told.circuit.to_string(), "webhook:mute");

    clock.advance(breaker::FIRST_PAUSE);
    assert_eq!(breakers.turning_away(), []);
    assert_eq!(breakers.open().len(), 1, "nothing has gone well yet");
    assert_eq!(call(&breakers, &mute, Ok(())).await, Ok(()));
    assert_eq!(breakers.open(), []);
}

/// A stranger who asks for what is refused keeps nobody's mail back.
#[tokio::test]
async fn sr87_a_refusal_of_one_message_is_an_answer() {
    let (breakers, _) = breakers();
    for _ in 0..3 * breaker::MOST_FAILURES {
        let refused = call(&breakers, &Circuit::Sms, Err(Trouble::Refused)).await;
        assert_eq!(refused, Err(Trouble::Refused));
    }
    for _ in 1..breaker::MOST_FAILURES {
        call(&breakers, &Circuit::Sms, Err(Trouble::Down)).await.ok();
    }
    call(&breakers, &Circuit::Sms, Err(Trouble::Refused)).await.ok();
    call(&breakers, &Circuit::Sms, Err(Trouble::Down)).await.ok();
    assert_eq!(breakers.open(), []);
}

/// One mailbox that holds up whatever is sent to it is its own trouble; the same with five is the server's.
#[tokio::test]
async fn sr87_only_different_recipients_tell_of_the_server() {
    let (breakers, _) = breakers();
    let stuck = async |whom: &str| {
        let call = async { Err::<(), _>(Trouble::Stuck) };
        breakers.call_about(Circuit::Email, whom, call).await.ok();
    };
    for _ in 0..20 {
        stuck("tar@pit.example").await;
    }
    assert_eq!(breakers.open(), []);
    for whom in ["a@b.example", "b@b.example", "c@b.example"] {
        stuck(whom).await;
    }
    assert_eq!(breakers.open(), []);
    stuck("d@b.example").await;
    assert_eq!(breakers.open().len(), 1);
    // What is surely the server's own counts whoever it was for.
    for _ in 0..breaker::MOST_FAILURES {
        let call = async { Err::<(), _>(Trouble::Down) };
        breakers.call_about(Circuit::Sms, "one", call).await.ok();
    }
    assert_eq!(breakers.open().len(), 2);
}

/// A request whose visitor goes away is dropped in the middle of its call.
#[tokio::test]
async fn a_probe_that_is_dropped_leaves_it_to_the_next() {
    let (breakers, clock) = breakers();
    open(&breakers, &Circuit::Captcha).await;
    clock.advance(breaker::FIRST_PAUSE);
    let never = breakers.call(Circuit::Captcha, std::future::pending::<Result<(), Trouble>>());
    let in_time = tokio::time::timeout(Duration::from_millis(1), never).await;
    assert!(in_time.is_err());
    assert_eq!(call(&breakers, &Circuit::Captcha, Ok(())).await, Ok(()));
    assert_eq!(breakers.open(), []);
}

/// An address that can't be written down is no answer of the server: it neither closes the circuit nor begins the count anew.
#[tokio::test]
async fn sr87_a_call_that_reached_nobody_says_nothing_of_the_peer() {
    let (breakers, clock) = breakers();
    for _ in 1..breaker::MOST_FAILURES {
        call(&breakers, &Circuit::Email, Err(Trouble::Down)).await.ok();
    }
    let unwritable = Err(Trouble::Unwritable);
    assert_eq!(
        call(&breakers, &Circuit::Email, unwritable).await,
        Err(Trouble::Unwritable)
    );
    call(&breakers, &Circuit::Email, Err(Trouble::Down)).await.ok();
    assert_eq!(breakers.open().len(), 1);

    clock.advance(breaker::FIRST_PAUSE);
    call(&breakers, &Circuit::Email, Err(Trouble::Unwritable))
        .await
        .ok();
    assert_eq!(breakers.open().len(), 1);
    assert_eq!(breakers.turning_away(), [], "the next may find out");
    call(&breakers, &Circuit::Email, Ok(())).await.ok();
    assert_eq!(breakers.open(), []);
}
