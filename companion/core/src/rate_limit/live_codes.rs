//! How many codes of one identifier may be right at one time (SR-22).

use crate::time::Timestamp;

/// How many codes of one identifier may be live at once, over all its flows. The last is kept for clients not yet seen for
/// it: one stranger who opened the other flows has not locked the owner out, and many have to be new each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveCodeRule {
    /// At most, the last included. One at least.
    pub most: u32,
}

/// A code that is neither expired nor superseded, of a flow that is not over. One whose tries are used up counts too: who
/// guesses gets no new code for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveCode {
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
    /// Whether it makes room for the one that is asked for: it is of the same flow, which keeps its room.
    pub of_this_flow: bool,
}

/// How many codes may be live for a client that asks for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRoom(u32);

/// Enough codes of an identifier are live already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// When one more has room, should nobody ask for another meanwhile.
    pub until: Timestamp,
}

impl LiveCodeRule {
    /// The rule `factor` times as generous.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self {
            most: self.most.saturating_mul(factor),
        }
    }

    /// The room for a client that was, or was not yet, seen for the identifier; nobody has more than one who was not.
    pub(super) const fn room(self, is_unseen: bool) -> CodeRoom {
        CodeRoom(if is_unseen {
            self.most
        } else {
            self.most.saturating_sub(1)
        })
    }
}

impl CodeRoom {
    /// Whether one more code may be made beside these, which are all that are live for the identifier.
    pub fn admit(self, live: &[LiveCode]) -> Result<(), Crowded> {
        let Self(most) = self;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if live.len() < most || live.iter().any(|code| code.of_this_flow) {
            return Ok(());
        }
        let mut ends: Vec<_> = live.iter().map(|code| code.expires_at).collect();
        ends.sort_unstable();
        // So many have to end first. Were there room for none at all, the last one's end is as good an answer as any.
        match ends.get(live.len() - most).or(ends.last()) {
            Some(&until) => Err(Crowded { until }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: LiveCodeRule = LiveCodeRule { most: 5 };

    fn live(ends: &[i64]) -> Vec<LiveCode> {
        let code = |&end| LiveCode {
            expires_at: Timestamp::from_millis(end),
            of_this_flow: false,
        };
        ends.iter().map(code).collect()
    }

    fn crowded(until: i64) -> Result<(), Crowded> {
        Err(Crowded {
            until: Timestamp::from_millis(until),
        })
    }

    #[test]
    fn sr22_the_last_of_five_is_kept_for_clients_not_yet_seen() {
        for count in 0..4_i64 {
            let ends: Vec<_> = (0..count).collect();
            assert_eq!(RULE.room(false).admit(&live(&ends)), Ok(()));
        }
        let four = live(&[40, 10, 30, 20]);
        assert_eq!(RULE.room(false).admit(&four), crowded(10));
        assert_eq!(RULE.room(true).admit(&four), Ok(()));
    }

    #[test]
    fn sr22_there_is_no_sixth_for_anybody_and_the_answer_tells_when_there_is_room() {
        let five = live(&[50, 40, 10, 30, 20]);
        assert_eq!(RULE.room(true).admit(&five), crowded(10));
        assert_eq!(
            RULE.room(false).admit(&five),
            crowded(20),
            "two have to end for who may have four"
        );
    }

    #[test]
    fn sr22_another_code_of_the_same_flow_takes_no_room() {
        let mut five = live(&[10, 20, 30, 40, 50]);
        five[3].of_this_flow = true;
        assert_eq!(RULE.room(false).admit(&five), Ok(()));
    }
}
