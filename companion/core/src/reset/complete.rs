//! The last step: the password is set, and with it everything that follows.

use serde::{Deserialize, Serialize};

use super::flow::{FlowState, ResetFlow};
use super::set_password::ProvenReset;
use crate::ids::Subject;
use crate::time::Timestamp;

/// What was done besides setting the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Browser sessions that ended.
    pub sessions_ended: u32,
    /// Pairs of an app and a session whose grants were revoked, with their refresh and access tokens.
    pub grants_revoked: u32,
    /// Apps that are told to sign the user out. Zero where the companion has no way to tell any.
    pub apps_told: u32,
}

/// The password is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// Whose it is.
    pub subject: Subject,
    /// What was done besides.
    pub receipt: Receipt,
    /// When.
    pub completed_at: Timestamp,
}

impl ProvenReset {
    /// The flow as the backend writes it, by compare-and-swap and in the transaction that sets the password.
    pub fn complete(self, receipt: Receipt, now: Timestamp) -> ResetFlow {
        let Self { flow, state } = self;
        let completed = Completed {
            subject: state.subject,
            receipt,
            completed_at: now,
        };
        flow.moved_to(FlowState::Completed(completed))
    }
}
