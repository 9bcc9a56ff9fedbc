//! One breaker: when its peer is called, and when it is left alone.

use std::time::Duration;

use keyback_core::time::Timestamp;

/// Failures in a row after which a peer is left alone.
pub(super) const MOST_FAILURES: usize = 5;
/// The first pause. Each further one, as long as nothing has gone well, is twice as long, unless the call that found nothing
/// better may have failed at whom it was for.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest, of our own accord: whoever waits for a code waits for it too once the peer is back.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest that a peer may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// Counts failures in a row, and opens.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Calls go through. The failures in a row, of which those that may be about the call count once for each [`About`].
    Closed { failures: Vec<Option<About>> },
    /// Nothing goes through before `until`.
    Open { until: Timestamp, pause: Pause },
    /// One call finds out how it stands.
    Probing { pause: Pause },
}

/// Why and since when a peer is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) since: Timestamp,
    /// What the last failure said, for the operator.
    pub(super) cause: String,
    /// How many pauses there were in a row, without those after a probe that may have failed at whom it was for.
    count: u32,
}

/// What a call is that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    Call,
    /// The one that finds out how it stands.
    Probe,
}

/// What a call was about, such as its recipient, as a number that can't be chosen: to tell whether two were about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct About(pub(super) u64);

/// A call failed because the peer is down.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) cause: String,
    /// How long the peer asks to be left alone.
    pub(super) asked: Option<Duration>,
    /// What the call was about, where that may be why it failed.
    pub(super) about: Option<About>,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: Vec::new() }
    }
}

impl Breaker {
    /// Lets a call through, or not.
    pub(super) fn admit(&mut self, now: Timestamp) -> Option<Admitted> {
        match &self.state {
            State::Closed { .. } => Some(Admitted::Call),
            State::Open { until, pause } if *until <= now => {
                self.state = State::Probing { pause: pause.clone() };
                Some(Admitted::Probe)
            }
            State::Open { .. } | State::Probing { .. } => None,
        }
    }

    /// Whether a call would be turned away now.
    pub(super) fn turns_away(&self, now: Timestamp) -> bool {
        match &self.state {
            State::Closed { .. } => false,
            State::Open { until, .. } => *until > now,
            State::Probing { .. } => true,
        }
    }

    /// The pause, from its first failure until a call goes well.
    pub(super) fn pause(&self) -> Option<&Pause> {
        match &self.state {
            State::Closed { .. } => None,
            State::Open { pause, .. } | State::Probing { pause } => Some(pause),
        }
    }

    /// Whether it has nothing to remember.
    #[cfg(test)]
    pub(super) fn is_fresh(&self) -> bool {
        matches!(&self.state, State::Closed { failures } if failures.is_empty())
    }

    /// The peer answered a call, whichever. Tells the pause that this ends.
    pub(super) fn answered(&mut self) -> Option<Pause> {
        match std::mem::take(&mut self.state) {
            State::Closed { .. } => None,
            State::Open { pause, .. } | State::Probing { pause } => Some(pause),
        }
    }

    /// The peer is down, as a call has found. `share`, from 0 to 255, draws the pause between half of its length and all
    /// of it, so that processes which were turned away together don't come back together. Tells the pause that begins.
    pub(super) fn failed(
        &mut self,
        admitted: Admitted,
        failed: Failed,
        now: Timestamp,
        share: u8,
    ) -> Option<Duration> {
        let (since, count, begins) = match (&mut self.state, admitted) {
            (State::Closed { failures }, _) => {
                if failed.about.is_some() && failures.contains(&failed.about) {
                    return None;
                }
                failures.push(failed.about);
                if failures.len() < MOST_FAILURES {
                    return None;
                }
                (now, 1, true)
            }
            (State::Probing { pause }, Admitted::Probe) => {
                // One that may have failed at whom it was for lengthens the pause for nobody.
                let further = u32::from(failed.about.is_none());
                (pause.since, pause.count.saturating_add(further), false)
            }
            // Calls that were under way when it opened say nothing new.
            (State::Open { .. } | State::Probing { .. }, _) => return None,
        };
        let asked = failed.asked.unwrap_or_default().min(LONGEST_ASKED);
        let length = pause_of(count, share).max(asked);
        let pause = Pause {
            since,
            cause: failed.cause,
            count,
        };
        self.state = State::Open {
            until: now + length,
            pause,
        };
        begins.then_some(length)
    }

    /// A call found nothing out. The next one may be the probe.
    pub(super) fn given_back(&mut self, admitted: Admitted, now: Timestamp) {
        if let (Admitted::Probe, State::Probing { pause }) = (admitted, &self.state) {
            self.state = State::Open {
                until: now,
                pause: pause.clone(),
            };
        }
    }
}

fn pause_of(count: u32, share: u8) -> Duration {
    let doublings = count.saturating_sub(1).min(16);
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    whole / 2 + whole / 2 * u32::from(share) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn down() -> Failed {
        Failed {
            cause: "no answer".to_owned(),
            asked: None,
            about: None,
        }
    }

    fn down_for(whom: u64) -> Failed {
        Failed {
            about: Some(About(whom)),
            ..down()
        }
    }

    /// One that has just opened, for the whole first pause.
    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..MOST_FAILURES {
            let admitted = breaker.admit(NOW).unwrap();
            breaker.failed(admitted, down(), NOW, u8::MAX);
        }
        breaker
    }

    #[test]
    fn sr87_five_failures_in_a_row_open_it_and_an_answer_between_begins_the_count_anew() {
        let mut breaker = Breaker::default();
        for round in 0..3 {
            for _ in 1..MOST_FAILURES {
                assert_eq!(breaker.failed(Admitted::Call, down(), NOW, 0), None, "{round}");
            }
            assert_eq!(breaker.answered(), None);
            assert!(breaker.is_fresh());
        }
        for failures in 1..=MOST_FAILURES {
            assert_eq!(breaker.admit(NOW), Some(Admitted::Call));
            let pause = breaker.failed(Admitted::Call, down(), NOW, u8::MAX);
            assert_eq!(pause.is_some(), failures == MOST_FAILURES, "{failures}");
        }
        assert_eq!(breaker.admit(NOW), None);
        assert!(breaker.turns_away(NOW));
        assert_eq!(breaker.pause().unwrap().cause, "no answer");
    }

    /// A stranger asks for the same mailbox, which holds every mail up, again and again.
    #[test]
    fn sr87_what_may_be_about_one_recipient_counts_once_for_each() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(breaker.failed(Admitted::Call, down_for(1), NOW, 0), None);
            assert_eq!(breaker.failed(Admitted::Call, down_for(2), NOW, 0), None);
        }
        assert!(!breaker.turns_away(NOW));
        // Beside what is surely its own doing.
        breaker.failed(Admitted::Call, down(), NOW, 0);
        breaker.failed(Admitted::Call, down(), NOW, 0);
        assert!(!breaker.turns_away(NOW));
        assert!(breaker.failed(Admitted::Call, down_for(3), NOW, 0).is_some());
        assert_eq!(breaker.admit(NOW), None);

        let mut breaker = Breaker::default();
        let opened: Vec<_> = (0..MOST_FAILURES as u64)
            .map(|whom| breaker.failed(Admitted::Call, down_for(whom), NOW, 0).is_some())
            .collect();
        assert_eq!(
            opened,
            [false, false, false, false, true],
            "several at once are all"
        );
    }

    #[test]
    fn sr87_after_the_pause_one_call_probes_and_its_success_closes_it() {
        let mut breaker = opened();
        let just_before = NOW + (FIRST_PAUSE - Duration::from_millis(1));
        assert_eq!(breaker.admit(just_before), None);
        let then = NOW + FIRST_PAUSE;
        assert!(!breaker.turns_away(then));
        assert_eq!(breaker.admit(then), Some(Admitted::Probe));
        assert!(breaker.turns_away(then));
        assert_eq!(breaker.admit(then), None, "one probes, the others wait");
        assert_eq!(breaker.answered().unwrap().since, NOW);
        assert_eq!(breaker.admit(then), Some(Admitted::Call));
        assert!(breaker.is_fresh());
    }

    #[test]
    fn sr87_each_pause_is_longer_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = NOW;
        let mut lengths = Vec::new();
        let mut length = FIRST_PAUSE;
        for _ in 0..6 {
            lengths.push(length.as_secs());
            now = now + length;
            assert_eq!(breaker.admit(now), Some(Admitted::Probe));
            // It is told of at its beginning alone.
            assert_eq!(breaker.failed(Admitted::Probe, down(), now, u8::MAX), None);
            assert_eq!(breaker.pause().unwrap().since, NOW);
            length = (1..=600)
                .map(Duration::from_secs)
                .find(|length| !breaker.turns_away(now + *length))
                .unwrap();
        }
        assert_eq!(lengths, [5, 10, 20, 40, 60, 60]);
    }

    /// The mail that probes is to the mailbox which holds every mail up, time and again.
    #[test]
    fn sr87_a_probe_that_may_have_failed_at_its_recipient_lengthens_no_pause() {
        let mut breaker = opened();
        let mut now = NOW;
        for _ in 0..4 {
            now = now + FIRST_PAUSE;
            assert_eq!(breaker.admit(now), Some(Admitted::Probe));
            let began = breaker.failed(Admitted::Probe, down_for(1), now, u8::MAX);
            assert_eq!(began, None, "it was told of when it began");
            assert!(breaker.turns_away(now));
            assert!(!breaker.turns_away(now + FIRST_PAUSE));
        }
        now = now + FIRST_PAUSE;
        assert_eq!(breaker.admit(now), Some(Admitted::Probe));
        breaker.failed(Admitted::Probe, down(), now, u8::MAX);
        assert!(breaker.turns_away(now + FIRST_PAUSE));
        assert!(!breaker.turns_away(now + 2 * FIRST_PAUSE));
    }

    #[test]
    fn the_pause_is_drawn_between_half_and_all_of_its_length_and_no_shorter_than_was_asked() {
        assert_eq!(pause_of(1, 0), FIRST_PAUSE / 2);
        assert_eq!(pause_of(1, u8::MAX), FIRST_PAUSE);
        assert_eq!(pause_of(u32::MAX, u8::MAX), LONGEST_PAUSE);
        for (asked, pause) in [(1, 5), (90, 90), (86_400, 600)] {
            let mut breaker = Breaker {
                state: State::Closed {
                    failures: vec![None; MOST_FAILURES - 1],
                },
            };
            let failed = Failed {
                asked: Some(Duration::from_secs(asked)),
                ..down()
            };
            let began = breaker.failed(Admitted::Call, failed, NOW, u8::MAX);
            assert_eq!(began, Some(Duration::from_secs(pause)), "{asked}");
        }
    }

    #[test]
    fn a_probe_that_found_nothing_out_leaves_it_to_the_next() {
        let mut breaker = opened();
        let then = NOW + FIRST_PAUSE;
        assert_eq!(breaker.admit(then), Some(Admitted::Probe));
        // One from before it opened is no probe.
        breaker.given_back(Admitted::Call, then);
        assert_eq!(breaker.admit(then), None);
        breaker.given_back(Admitted::Probe, then);
        assert_eq!(breaker.admit(then), Some(Admitted::Probe));
    }

    #[test]
    fn calls_from_before_it_opened_lengthen_nothing_and_an_answer_to_one_closes_it() {
        let mut breaker = opened();
        let late = NOW + (FIRST_PAUSE - Duration::from_millis(1));
        assert_eq!(breaker.failed(Admitted::Call, down(), late, u8::MAX), None);
        assert_eq!(breaker.admit(NOW + FIRST_PAUSE), Some(Admitted::Probe));
        assert_eq!(breaker.failed(Admitted::Call, down(), late, u8::MAX), None);
        assert!(breaker.turns_away(NOW + FIRST_PAUSE));
        assert!(breaker.answered().is_some());
        assert!(breaker.is_fresh());
    }
}
