//! The generic cell rate algorithm (ITU-T I.371), in its virtual scheduling form.

use std::time::Duration;

use crate::time::Timestamp;

/// At most `capacity` at once, and `capacity` in every `period` in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRule {
    /// How many a fresh key may take at once; zero allows none.
    pub capacity: u32,
    /// The time in which an exhausted key becomes fresh again.
    pub period: Duration,
}

/// The one integer that a store keeps for a key: microseconds since the epoch at which the key will be fresh again.
///
/// A row whose value lies in the past says the same as no row: it may be swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TheoreticalArrival(i64);

/// What a limit answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may happen, and has been counted.
    Allowed,
    /// It may not, and has not been counted.
    Refused {
        /// After this time one is allowed again.
        retry_after: Duration,
    },
}

impl LimitRule {
    /// `capacity` in every `period`.
    pub const fn new(capacity: u32, period: Duration) -> Self {
        Self { capacity, period }
    }

    /// The same rule, `factor` times as generous.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self {
            capacity: self.capacity.saturating_mul(factor),
            period: self.period,
        }
    }

    /// Takes one at `now` from a key whose row holds `stored`: the decision, and what the row holds next.
    ///
    /// A store runs it between reading and writing the row, in one transaction that excludes others on that key.
    pub fn take(
        self,
        stored: Option<TheoreticalArrival>,
        now: Timestamp,
    ) -> (Decision, Option<TheoreticalArrival>) {
        let now = now.as_millis().saturating_mul(1_000);
        let period = micros(self.period);
        if self.capacity == 0 {
            return (
                Decision::Refused {
                    retry_after: self.period,
                },
                stored,
            );
        }
        let interval = (period / i64::from(self.capacity)).max(1);
        // A clock that was set back must not lock a key for longer than an exhausted one is locked.
        let fresh_at = stored.map_or(now, |TheoreticalArrival(at)| {
            at.clamp(now, now.saturating_add(period))
        });
        let next = fresh_at.saturating_add(interval);
        let too_early_by = next.saturating_sub(now).saturating_sub(period);
        if too_early_by > 0 {
            let retry_after = Duration::from_micros(too_early_by.unsigned_abs());
            (Decision::Refused { retry_after }, stored)
        } else {
            (Decision::Allowed, Some(TheoreticalArrival(next)))
        }
    }
}

impl TheoreticalArrival {
    /// Takes the integer of a row.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The integer for a row.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN_A_MINUTE: LimitRule = LimitRule::new(10, Duration::from_secs(60));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000 + seconds * 1_000)
    }

    fn take_many(
        rule: LimitRule,
        stored: &mut Option<TheoreticalArrival>,
        now: Timestamp,
        times: u32,
    ) -> u32 {
        (0..times)
            .map(|_| {
                let (decision, next) = rule.take(*stored, now);
                *stored = next;
                u32::from(decision == Decision::Allowed)
            })
            .sum()
    }

    #[test]
    fn a_burst_is_capped_and_comes_back_one_by_one() {
        let mut stored = None;
        assert_eq!(take_many(TEN_A_MINUTE, &mut stored, at(0), 50), 10);
        let (refused, _) = TEN_A_MINUTE.take(stored, at(0));
        assert_eq!(
            refused,
            Decision::Refused {
                retry_after: Duration::from_secs(6)
            }
        );
        assert_eq!(take_many(TEN_A_MINUTE, &mut stored, at(6), 50), 1);
        assert_eq!(take_many(TEN_A_MINUTE, &mut stored, at(66), 50), 10);
    }

    #[test]
    fn a_refusal_is_not_counted() {
        let mut stored = None;
        take_many(TEN_A_MINUTE, &mut stored, at(0), 10);
        let exhausted = stored;
        take_many(TEN_A_MINUTE, &mut stored, at(3), 1_000);
        assert_eq!(stored, exhausted);
    }

    #[test]
    fn generous_rules_still_count() {
        let rule = LimitRule::new(1_000, Duration::from_secs(60)).times(1_000);
        let mut stored = None;
        take_many(rule, &mut stored, at(0), 1);
        assert!(stored.is_some_and(|arrival| arrival.as_micros() > at(0).as_millis() * 1_000));
        assert_eq!(TEN_A_MINUTE.times(u32::MAX).capacity, u32::MAX);
    }

    #[test]
    fn nothing_is_allowed_by_a_rule_of_zero() {
        let (decision, stored) = LimitRule::new(0, Duration::from_secs(60)).take(None, at(0));
        assert_eq!(
            (decision, stored),
            (
                Decision::Refused {
                    retry_after: Duration::from_secs(60)
                },
                None
            )
        );
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_a_period() {
        let mut stored = None;
        take_many(TEN_A_MINUTE, &mut stored, at(1_000_000), 10);
        let (decision, _) = TEN_A_MINUTE.take(stored, at(0));
        assert_eq!(
            decision,
            Decision::Refused {
                retry_after: Duration::from_secs(6)
            }
        );
        assert_eq!(
            take_many(TEN_A_MINUTE, &mut stored, at(6), 1),
            0,
            "the row still lies ahead"
        );
    }

    proptest! {
        /// Whatever the arrivals, no window of one period ever holds more than twice the capacity, and a key that
        /// waited as told is allowed.
        #[test]
        fn the_rate_holds(gaps in prop::collection::vec(0_i64..20_000, 1..200), capacity in 1_u32..20) {
            let rule = LimitRule::new(capacity, Duration::from_secs(60));
            let (mut stored, mut now, mut allowed) = (None, 0, Vec::new());
            for gap in gaps {
                now += gap;
                let (decision, next) = rule.take(stored, Timestamp::from_millis(now));
                match decision {
                    Decision::Allowed => allowed.push(now),
                    Decision::Refused { retry_after } => {
                        let later = Timestamp::from_millis(now) + retry_after + Duration::from_millis(1);
                        prop_assert_eq!(rule.take(next, later).0, Decision::Allowed);
                    }
                }
                stored = next;
            }
            for &start in &allowed {
                let in_window = allowed.iter().filter(|&&at| at >= start && at < start + 60_000).count();
                prop_assert!(in_window <= 2 * capacity as usize);
            }
        }
    }
}
