//! The ends that a registry holds in memory: a bounded list, in which a later end takes the place of an earlier one.

use std::collections::HashMap;
use std::time::SystemTime;

use super::logouts::LogoutMark;

/// Above it, those that are over first are forgotten first.
pub(super) const MOST: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: SystemTime,
    /// Until when it counts: no session that it could mean lasts longer.
    pub(super) until: SystemTime,
}

#[derive(Default)]
pub(super) struct Ends {
    by_mark: HashMap<LogoutMark, End>,
}

impl Ends {
    pub(super) fn add(&mut self, mark: LogoutMark, end: End) {
        if self.by_mark.len() >= MOST {
            // A tenth at once, so that looking for them is rare.
            let mut untils: Vec<SystemTime> = self.by_mark.values().map(|end| end.until).collect();
            let (_, limit, _) = untils.select_nth_unstable(MOST / 10);
            let limit = *limit;
            self.by_mark.retain(|_, end| end.until > limit);
        }
        let kept = self.by_mark.entry(mark).or_insert(end);
        *kept = End {
            at: kept.at.max(end.at),
            until: kept.until.max(end.until),
        };
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

    #[test]
    fn those_that_are_over_first_make_room() {
        let mut ends = Ends::default();
        let mark = |number: u64| LogoutMark::of_text(format!("sid:{number}"));
        for number in 0..=MOST as u64 {
            let until = UNIX_EPOCH + Duration::from_secs(number);
            ends.add(
                mark(number),
                End {
                    at: UNIX_EPOCH,
                    until,
                },
            );
        }
        assert!(ends.len() <= MOST);
        assert!(ends.find(&mark(0)).is_none());
        assert!(ends.find(&mark(MOST as u64)).is_some());
    }
}
