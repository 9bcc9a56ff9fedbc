//! Limits in the hands of who asks them: one row and its rule, and what many clients share with a reserve for those not yet
//! seen.

use super::gcra::{Decision, LimitRule, TheoreticalArrival};
use super::limiter::{Limited, RetryAfter};
use crate::time::Timestamp;

/// A limit with the row that is kept of it.
pub(super) struct Limit<'r> {
    pub(super) row: &'r mut Option<TheoreticalArrival>,
    pub(super) rule: LimitRule,
}

/// When a client is marked as seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    Always,
    ForTheReserve,
}

/// Whether a client was lately seen for what it asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Unseen,
    Seen,
}

impl Limit<'_> {
    pub(super) fn take(&mut self, now: Timestamp) -> Limited {
        let (decision, next) = self.rule.take(*self.row, now);
        *self.row = next;
        match decision {
            Decision::Allowed => Ok(()),
            Decision::Refused { retry_after } => Err(RetryAfter(retry_after)),
        }
    }

    /// How a client stands whose mark this is, and marks it.
    pub(super) fn mark(&mut self, now: Timestamp) -> Standing {
        match self.take(now) {
            Ok(()) => Standing::Unseen,
            Err(_) => Standing::Seen,
        }
    }
}

/// Takes from what all clients share; when that is used up, who is not yet seen may take from the reserve.
pub(super) fn take_shared(
    standing: impl FnOnce() -> Standing,
    mut common: Limit<'_>,
    mut reserve: Limit<'_>,
    now: Timestamp,
) -> Limited {
    common.take(now).or_else(|refused| match standing() {
        Standing::Unseen => reserve.take(now),
        Standing::Seen => Err(refused),
    })
}
