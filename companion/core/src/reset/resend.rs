//! Another code for the same flow: a new challenge, and the end of the one before.

use super::challenge::Challenge;
use super::flow::{FlowState, ResetFlow};
use super::settings::Issuing;
use super::verify::AwaitingCode;
use crate::event::Event;
use crate::outcome::ResendRejection;
use crate::ports::{CodeJob, SentCode};
use crate::rate_limit::CodeRoom;
use crate::time::Timestamp;

/// The flow with another challenge.
#[derive(Debug)]
pub struct Reissued {
    /// The flow.
    pub flow: ResetFlow,
    /// The challenge that supersedes the one before.
    pub challenge: Challenge,
    /// The job that sends the new code.
    pub job: CodeJob,
    /// How many codes this flow has asked for.
    pub sends: u32,
}

impl Reissued {
    /// All of it, for the store.
    pub fn sent<'a>(&'a self, event: &'a Event, room: CodeRoom) -> SentCode<'a> {
        let Self {
            flow, challenge, job, ..
        } = self;
        SentCode {
            flow,
            challenge,
            job,
            event,
            room,
        }
    }
}

impl ResetFlow {
    /// Whether another code may be asked for now: all that the flow alone tells.
    pub fn expect_resend(&self, now: Timestamp) -> Result<&AwaitingCode, ResendRejection> {
        match &self.state {
            FlowState::AwaitingPassword(_) | FlowState::Completed(_) => Err(ResendRejection::AlreadyUsed),
            FlowState::AwaitingCode(_) if self.is_expired(now) => Err(ResendRejection::Expired),
            FlowState::AwaitingCode(state) if now < state.resend_at => Err(ResendRejection::TooSoon {
                retry_at: state.resend_at,
            }),
            FlowState::AwaitingCode(state) => Ok(state),
        }
    }

    /// Asks for another code. The cool-down belongs to the flow, so nobody else's visit delays it (SR-22).
    pub fn resend(self, with: Issuing<'_>) -> Result<Reissued, ResendRejection> {
        let sends = self.expect_resend(with.now)?.sends + 1;
        let (challenge, job) = Challenge::issue(&self.id, &self.identifier, self.client_id.as_deref(), with);
        let state = AwaitingCode {
            challenge_id: challenge.id.clone(),
            sends,
            resend_at: with.now + with.settings.resend_cooldown,
        };
        Ok(Reissued {
            flow: self.moved_to(FlowState::AwaitingCode(state)),
            challenge,
            job,
            sends,
        })
    }
}
