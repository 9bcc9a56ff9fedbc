//! The second step: a code becomes a proof.

use serde::{Deserialize, Serialize};

use super::challenge::{Challenge, CheckedChallenge};
use super::flow::{FlowState, ResetFlow};
use super::set_password::AwaitingPassword;
use super::settings::{Issuing, ResetSettings};
use crate::ids::{ChallengeId, FlowId};
use crate::one_time_code::OneTimeCode;
use crate::outcome::VerifyRejection;
use crate::secret::{BindingSecret, Proof};
use crate::time::Timestamp;

/// A code was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwaitingCode {
    /// The challenge that the last code answers.
    pub challenge_id: ChallengeId,
    /// How many codes this flow has asked for.
    pub sends: u32,
    /// From when another may be asked for.
    pub resend_at: Timestamp,
}

/// The flow after the right code, and the proof for the browser.
#[derive(Debug)]
pub struct Accepted {
    /// The flow.
    pub flow: ResetFlow,
    /// What sets the password.
    pub proof: Proof,
    /// Until when it does.
    pub expires_at: Timestamp,
}

/// A code is tried.
#[derive(Debug)]
pub struct VerifyRequest<'a> {
    /// In which flow.
    pub flow_id: &'a FlowId,
    /// By which browser.
    pub binding: &'a BindingSecret,
    /// The challenge that the form was made for, where it says one: an older form is then told that it is superseded.
    pub challenge_id: Option<&'a ChallengeId>,
    /// The code.
    pub code: &'a OneTimeCode,
}

impl ResetFlow {
    /// Whether a code may be tried now: all that the flow and its challenge tell without looking at the code, and a
    /// decoy's tell as well (SR-23).
    ///
    /// `named` is the challenge that the form was made for, where it says one.
    pub fn expect_code<'a>(
        &self,
        challenge: Option<&'a Challenge>,
        named: Option<&ChallengeId>,
        settings: &ResetSettings,
        now: Timestamp,
    ) -> Result<&'a Challenge, VerifyRejection> {
        let state = match &self.state {
            FlowState::AwaitingPassword(_) | FlowState::Completed(_) => {
                return Err(VerifyRejection::AlreadyUsed);
            }
            FlowState::AwaitingCode(state) => state,
        };
        if self.is_expired(now) {
            return Err(VerifyRejection::Expired);
        }
        if named.is_some_and(|named| *named != state.challenge_id) {
            return Err(VerifyRejection::Superseded);
        }
        // A challenge that is gone was swept, hence had expired.
        let challenge = challenge.ok_or(VerifyRejection::Expired)?;
        if challenge.id != state.challenge_id {
            Err(VerifyRejection::Superseded)
        } else if challenge.is_expired(now) {
            Err(VerifyRejection::Expired)
        } else if challenge.attempts >= settings.code_attempts {
            Err(VerifyRejection::Exhausted)
        } else {
            Ok(challenge)
        }
    }

    /// Leaves the code behind and issues the only proof.
    pub fn accept_code(
        self,
        checked: CheckedChallenge,
        with: Issuing<'_>,
    ) -> Result<Accepted, VerifyRejection> {
        let CheckedChallenge {
            challenge_id,
            subject,
        } = checked;
        match &self.state {
            FlowState::AwaitingCode(state) if state.challenge_id == challenge_id => {}
            FlowState::AwaitingCode(_) => return Err(VerifyRejection::Superseded),
            FlowState::AwaitingPassword(_) | FlowState::Completed(_) => {
                return Err(VerifyRejection::AlreadyUsed);
            }
        }
        let proof = Proof::issue(with.random);
        let expires_at = with.now + with.settings.proof_life;
        let state = AwaitingPassword {
            subject,
            proof_digest: proof.digest(),
            expires_at,
            tries: 0,
        };
        Ok(Accepted {
            flow: self.moved_to(FlowState::AwaitingPassword(state)),
            proof,
            expires_at,
        })
    }
}
