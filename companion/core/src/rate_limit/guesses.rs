//! Wrong codes in a row: a few are free, then each costs a longer pause, and then there is a rest of a day.

use std::time::Duration;

use super::gcra::TheoreticalArrival;
use super::limiter::{Limited, RetryAfter};
use super::reserve::Standing;
use crate::time::Timestamp;

/// The most that are counted: as many digits of the row as there are microseconds to a second.
const MOST_COUNTED: u32 = 999_999;
const MICROS: i64 = 1_000_000;

/// How many codes in a row may be wrong for one identifier, over all of its codes: its part of what its account may have,
/// if it has one (SR-20).
///
/// Most of them are for everybody, with pauses that grow. While those are held up or used up, a client that has tried none of them
/// lately has one of the reserve: a stranger who guesses from elsewhere has not locked the owner out (SR-9, SR-22), and how many
/// strangers there are makes the whole no larger.
///
/// A right code, or a sign-in with the password, ends the run; so does time, `forgotten_after` the last wrong one. Nobody
/// has to be asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessRule {
    /// So many cost no pause.
    pub free: u32,
    /// So many in all; after them there are none until the run is forgotten.
    pub most: u32,
    /// Of those, so many are the reserve.
    pub reserve: u32,
    /// The pause after the first that is not free. Each further one doubles it.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// How long after its last wrong code a run is forgotten.
    pub forgotten_after: Duration,
}

/// The two rows that are kept of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GuessRows {
    /// All codes of it.
    pub(super) run: Option<TheoreticalArrival>,
    /// Those of them that were of the reserve. Without a run it says nothing.
    pub(super) reserve: Option<TheoreticalArrival>,
}

/// Codes tried in a row, none of them right so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    tried: u32,
    /// In seconds since the epoch.
    forgotten_at: i64,
}

impl GuessRule {
    /// The same rule, `factor` times as generous with codes; the pauses stay.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let times = |count: u32| count.saturating_mul(factor).min(MOST_COUNTED);
        let most = times(self.most);
        // No more often than `most` is: where that is cut, the reserve would become the whole, and nothing be left for everybody.
        let fitting = most.checked_div(self.most).unwrap_or(0);
        Self {
            free: times(self.free),
            most,
            reserve: self.reserve.saturating_mul(fitting),
            ..self
        }
    }

    /// Takes one at `now`, before anybody knows whether it is right: of many at once, none goes uncounted. A right one
    /// ends the run afterwards.
    pub(super) fn take(self, rows: &mut GuessRows, standing: Standing, now: Timestamp) -> Limited {
        let forgotten_at = Run::forgotten_at(now + self.forgotten_after);
        let alive = |row: Option<TheoreticalArrival>| {
            row.map(Run::from_row)
                .filter(|run| run.forgotten_at > now.as_secs())
        };
        let run = alive(rows.run);
        let tried = run.map_or(0, |run| run.tried);
        let of_reserve = run.and(alive(rows.reserve)).map_or(0, |reserve| reserve.tried);
        // A clock that was set back must not make a run last longer.
        let over = Timestamp::from_millis(
            run.map_or(0, |run| run.forgotten_at.min(forgotten_at))
                .saturating_mul(1_000),
        );
        let of_all = tried.saturating_sub(of_reserve);
        let pause = self.pause(of_all);
        let open_at = if of_all >= self.most.saturating_sub(self.reserve) {
            over
        } else if pause.is_zero() {
            // Not from `over`, which is rounded up: that would be a pause, to the next second.
            now
        } else {
            over - self.forgotten_after + pause
        };
        // Whatever the second row says, the first counts every one.
        let is_over = tried >= self.most;
        let of_reserve = if open_at <= now && !is_over {
            of_reserve
        } else if standing == Standing::Unseen && of_reserve < self.reserve && !is_over {
            of_reserve + 1
        } else {
            let until = if is_over { over } else { open_at };
            return Err(RetryAfter(until.since(now)));
        };
        let row = |tried: u32| {
            let tried = tried.min(MOST_COUNTED);
            Some(Run { tried, forgotten_at }.row())
        };
        *rows = GuessRows {
            run: row(tried + 1),
            // As old as the run: what is left of one before must not be taken for its own.
            reserve: rows
                .reserve
                .and(row(of_reserve))
                .or_else(|| row(of_reserve).filter(|_| of_reserve > 0)),
        };
        Ok(())
    }

    /// How long nobody tries again of what is for everybody, after so many wrong ones.
    fn pause(self, tried: u32) -> Duration {
        match tried.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(beyond) => self
                .first_pause
                .saturating_mul(1 << (beyond - 1).min(16))
                .min(self.longest_pause),
        }
    }
}

impl Run {
    /// Rounded up: a pause is no shorter than it says.
    fn forgotten_at(at: Timestamp) -> i64 {
        (at + Duration::from_millis(999)).as_secs()
    }

    /// A row says when it may be swept, as every row of a limit does. Here that is a whole second, and what stands below
    /// the second is the count.
    fn row(self) -> TheoreticalArrival {
        let micros = self.forgotten_at.saturating_mul(MICROS);
        TheoreticalArrival::from_micros(micros.saturating_add(i64::from(self.tried)))
    }

    fn from_row(row: TheoreticalArrival) -> Self {
        let micros = row.as_micros();
        Self {
            tried: u32::try_from(micros.rem_euclid(MICROS)).unwrap_or(MOST_COUNTED),
            forgotten_at: micros.div_euclid(MICROS),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rate_limit::Limits;
    use crate::rate_limit::reserve::Standing::{Seen, Unseen};

    const RULE: GuessRule = GuessRule {
        free: 3,
        most: 8,
        reserve: 2,
        first_pause: Duration::from_secs(30),
        longest_pause: Duration::from_secs(60),
        forgotten_after: Duration::from_secs(86_400),
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000 + millis)
    }

    /// What a client is told, second by second: the pause, or none.
    fn pause(rows: &mut GuessRows, standing: Standing, now: Timestamp) -> Option<u64> {
        let RetryAfter(pause) = RULE.take(rows, standing, now).err()?;
        Some(pause.as_secs())
    }

    #[test]
    fn sr20_pauses_grow_up_to_the_rest_of_a_day_and_then_all_is_forgotten() {
        let mut rows = GuessRows::default();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            while let Some(wait) = pause(&mut rows, Seen, now) {
                pauses.push(wait);
                now = now + Duration::from_secs(wait);
            }
        }
        assert_eq!(pauses, [30, 60], "the fifth and the sixth waited");
        assert_eq!(
            pause(&mut rows, Seen, now),
            Some(86_400),
            "six of eight: two are kept"
        );
        assert_eq!(pause(&mut rows, Unseen, now), None);
        assert_eq!(
            pause(&mut rows, Unseen, now),
            None,
            "no pause for whom nobody has seen"
        );
        assert_eq!(pause(&mut rows, Unseen, now), Some(86_400), "eight in a row");
        now = now + Duration::from_secs(86_400);
        for _ in 0..4 {
            assert_eq!(pause(&mut rows, Seen, now), None, "it begins anew");
        }
        assert_eq!(pause(&mut rows, Seen, now), Some(30));
        assert_eq!(pause(&mut rows, Unseen, now), None, "and its reserve too");
    }

    /// Strangers who are new each time get no more of what is for everybody than one who is not.
    #[test]
    fn sr20_who_is_not_seen_waits_too_until_the_reserve_is_asked_and_it_has_its_end() {
        let mut rows = GuessRows::default();
        for _ in 0..4 {
            assert_eq!(pause(&mut rows, Unseen, at(0)), None);
        }
        assert_eq!(pause(&mut rows, Seen, at(0)), Some(30));
        for _ in 0..2 {
            assert_eq!(pause(&mut rows, Unseen, at(0)), None, "of the reserve");
        }
        assert_eq!(pause(&mut rows, Unseen, at(0)), Some(30), "there is none left");
        assert_eq!(
            pause(&mut rows, Seen, at(30_000)),
            None,
            "and what is for all goes on where it was"
        );
        assert_eq!(pause(&mut rows, Seen, at(30_000)), Some(60));
    }

    #[test]
    fn sr20_what_is_left_of_the_reserve_of_a_run_that_has_ended_says_nothing() {
        let mut rows = GuessRows::default();
        for _ in 0..6 {
            assert_eq!(pause(&mut rows, Unseen, at(0)), None);
        }
        assert!(rows.reserve.is_some());
        // A right code.
        rows.run = None;
        for _ in 0..6 {
            assert_eq!(pause(&mut rows, Unseen, at(1_000)), None);
        }
        assert_eq!(pause(&mut rows, Unseen, at(1_000)), Some(30));
    }

    #[test]
    fn sr20_a_refusal_is_not_counted_and_a_clock_set_back_makes_no_longer_wait() {
        let mut rows = GuessRows::default();
        for _ in 0..4 {
            pause(&mut rows, Seen, at(1_000_000_000));
        }
        let held = rows;
        assert_eq!(pause(&mut rows, Seen, at(1_000_000_000)), Some(30));
        assert_eq!(rows, held);
        assert_eq!(pause(&mut rows, Seen, at(0)), Some(30));
    }

    #[test]
    fn sr20_the_free_ones_cost_no_pause_at_any_part_of_a_second() {
        let mut rows = GuessRows::default();
        for _ in 0..4 {
            assert_eq!(RULE.take(&mut rows, Seen, at(1)), Ok(()));
        }
        assert_eq!(pause(&mut rows, Seen, at(1)), Some(30));
    }

    #[test]
    fn a_generous_rule_still_counts() {
        let rule = Limits::default().identifier_guesses.times(1_000_000);
        let mut rows = GuessRows::default();
        for tried in 1..=20 {
            assert_eq!(rule.take(&mut rows, Seen, at(1)), Ok(()));
            assert_eq!(rows.run.map(Run::from_row).map(|run| run.tried), Some(tried));
        }
        assert_eq!((rule.free, rule.most), (MOST_COUNTED, MOST_COUNTED));
    }

    proptest! {
        /// However they come, from seen and unseen clients, and even where the second row is lost, no more than `most` are taken
        /// until a day has gone by without one.
        #[test]
        fn sr20_no_run_is_longer_than_the_most(
            arrivals in prop::collection::vec((0_i64..7_200_000, any::<bool>(), any::<bool>()), 1..200),
        ) {
            let mut rows = GuessRows::default();
            let mut now = 0;
            let mut run = 0;
            let mut last = None;
            for (gap, unseen, lost) in arrivals {
                now += gap;
                if lost {
                    rows.reserve = None;
                }
                let standing = if unseen { Unseen } else { Seen };
                if pause(&mut rows, standing, at(now)).is_none() {
                    // What rests is rounded to the second.
                    if last.is_some_and(|last| now - last >= 86_400_000) {
                        run = 0;
                    }
                    run += 1;
                    last = Some(now);
                    prop_assert!(run <= RULE.most, "{run} in a row");
                }
            }
        }
    }
}
