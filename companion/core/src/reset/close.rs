//! The other end: a flow is given up, and its code and proof with it.

use serde::{Deserialize, Serialize};

use super::flow::{FlowState, ResetFlow};
use crate::time::Timestamp;

/// Why a flow was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The address or the password was changed by another way (SR-24).
    AccountChanged,
    /// The account is gone or was disabled.
    AccountUnavailable,
    /// The owner said that it wasn't them.
    Withdrawn,
}

/// Given up before the password was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// Why.
    pub reason: CloseReason,
    /// When.
    pub closed_at: Timestamp,
}

impl ResetFlow {
    /// Gives the flow up. `None`: it was over already.
    pub fn close(self, reason: CloseReason, now: Timestamp) -> Option<Self> {
        match self.state {
            FlowState::AwaitingCode(_) | FlowState::AwaitingPassword(_) => {
                Some(self.moved_to(FlowState::Closed(Closed {
                    reason,
                    closed_at: now,
                })))
            }
            FlowState::Completed(_) | FlowState::Closed(_) => None,
        }
    }
}
