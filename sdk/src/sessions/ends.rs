//! The ends that a registry holds in memory: a bounded list, in which a later end takes the place of an earlier one.

use std::collections::HashMap;
use std::time::SystemTime;

use super::logouts::LogoutMark;

/// No more are held. Those that are over make room; where none is, those that are over first are forgotten.
pub(super) const MOST: usize = 100_000;
/// How many are forgotten at once, so that looking for them is rare.
const AT_ONCE: usize = MOST / 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: SystemTime,
    /// Until when it counts: no session that it could mean lasts longer.
    pub(super) until: SystemTime,
}

/// How many ends had to go that still counted: their sessions may be open again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the operator has to know"]
pub(super) struct Forgotten(usize);

impl Forgotten {
    /// Tells the operator, where there is something to tell.
    pub(super) fn warn(self) {
        if self.0 > 0 {
            tracing::warn!(
                forgotten = self.0,
                most = MOST,
                "too many sessions have ended at a time: ends that still counted are forgotten, and what they ended may be \
                 open again; give the site a logout registry without a bound, such as a table of a database"
            );
        }
    }
}

#[derive(Default)]
pub(super) struct Ends {
    by_mark: HashMap<LogoutMark, End>,
}

impl Ends {
    /// Answers how many that still counted had to make room.
    pub(super) fn add(&mut self, mark: LogoutMark, end: End, now: SystemTime) -> Forgotten {
        let forgotten = self.make_room(&mark, now);
        let kept = self.by_mark.entry(mark).or_insert(end);
        *kept = End {
            at: kept.at.max(end.at),
            until: kept.until.max(end.until),
        };
        forgotten
    }

    fn make_room(&mut self, mark: &LogoutMark, now: SystemTime) -> Forgotten {
        if self.by_mark.len() < MOST || self.by_mark.contains_key(mark) {
            return Forgotten(0);
        }
        self.drop_over(now);
        if self.by_mark.len() < MOST {
            return Forgotten(0);
        }
        let before = self.by_mark.len();
        let mut untils: Vec<SystemTime> = self.by_mark.values().map(|end| end.until).collect();
        let (sooner, limit, _) = untils.select_nth_unstable(AT_ONCE);
        // Of those that are over with the limit only as many as are needed: it may be all of them.
        let mut at_limit = sooner.iter().filter(|until| *until == limit).count();
        let limit = *limit;
        self.by_mark.retain(|_, end| {
            if end.until == limit && at_limit > 0 {
                at_limit -= 1;
                return false;
            }
            end.until >= limit
        });
        Forgotten(before - self.by_mark.len())
    }

    pub(super) fn find(&self, mark: &LogoutMark) -> Option<SystemTime> {
        self.by_mark.get(mark).map(|end| end.at)
    }

    pub(super) fn drop_over(&mut self, now: SystemTime) {
        self.by_mark.retain(|_, end| end.until > now);
    }

    pub(super) fn len(&self) -> usize {
        self.by_mark.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&LogoutMark, &End)> {
        self.by_mark.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;

    fn mark(number: usize) -> LogoutMark {
        LogoutMark::of_text(format!("sid:{number}"))
    }

    fn until(seconds: u64) -> End {
        End {
            at: NOW,
            until: NOW + Duration::from_secs(seconds),
        }
    }

    /// As many as there may be, each of which counts for as long as `seconds` says.
    fn full(seconds: impl Fn(usize) -> u64) -> Ends {
        let mut ends = Ends::default();
        for number in 0..MOST {
            assert_eq!(ends.add(mark(number), until(seconds(number)), NOW), Forgotten(0));
        }
        ends
    }

    #[test]
    fn those_that_are_over_first_make_room() {
        let mut ends = full(|number| number as u64 + 1);
        assert_eq!(ends.add(mark(MOST), until(1_000_000), NOW), Forgotten(AT_ONCE));
        assert_eq!(ends.len(), MOST - AT_ONCE + 1);
        assert!(ends.find(&mark(AT_ONCE - 1)).is_none());
        assert!(ends.find(&mark(AT_ONCE)).is_some() && ends.find(&mark(MOST)).is_some());
    }

    #[test]
    fn none_that_counts_makes_room_where_one_is_over() {
        let mut ends = full(|number| if number == 7 { 10 } else { 20 });
        let now = NOW + Duration::from_secs(10);
        assert_eq!(ends.add(mark(MOST), until(30), now), Forgotten(0));
        assert_eq!(ends.len(), MOST);
        assert!(ends.find(&mark(7)).is_none());
        // What takes the place of its own kind needs no room.
        assert_eq!(ends.add(mark(0), until(40), now), Forgotten(0));
        assert_eq!(ends.len(), MOST);
    }

    /// As after a sign-out of everybody.
    #[test]
    fn of_those_that_are_over_at_one_time_a_part_stays() {
        let mut ends = full(|_| 20);
        assert_eq!(ends.add(mark(MOST), until(20), NOW), Forgotten(AT_ONCE));
        assert_eq!(ends.len(), MOST - AT_ONCE + 1);
    }
}
