//! The third step: whoever holds the proof may set a password. A password that breaks the policy costs a try, not the proof.

use serde::{Deserialize, Serialize};

use super::flow::{FlowState, ResetFlow};
use super::settings::ResetSettings;
use crate::ids::{FlowId, Subject};
use crate::outcome::SetPasswordRejection;
use crate::password::NewPassword;
use crate::secret::{BindingSecret, Proof, SecretDigest};
use crate::time::Timestamp;

/// A code was right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwaitingPassword {
    /// Whose code it was.
    pub subject: Subject,
    /// What rests of the only proof.
    pub proof_digest: SecretDigest,
    /// Until when the proof holds.
    pub expires_at: Timestamp,
    /// How many passwords were refused.
    pub tries: u32,
}

/// A flow whose proof was shown. To hold one is to be allowed to set that user's password, once: completing consumes it.
#[derive(Debug)]
pub struct ProvenReset {
    pub(super) flow: ResetFlow,
    pub(super) state: AwaitingPassword,
}

/// A new password is submitted.
#[derive(Debug)]
pub struct SetPasswordRequest<'a> {
    /// In which flow.
    pub flow_id: &'a FlowId,
    /// By which browser.
    pub binding: &'a BindingSecret,
    /// The proof that a right code gave.
    pub proof: &'a Proof,
    /// The password.
    pub password: NewPassword,
}

impl ResetFlow {
    /// Spends the proof.
    pub fn prove(
        self,
        proof: &Proof,
        settings: &ResetSettings,
        now: Timestamp,
    ) -> Result<ProvenReset, SetPasswordRejection> {
        let state = self.expect_proof(proof, settings, now)?.clone();
        Ok(ProvenReset { flow: self, state })
    }

    /// Whether the flow waits for a password and this is its proof. It lets nobody set one: [`prove`](Self::prove) does.
    pub fn expect_proof(
        &self,
        proof: &Proof,
        settings: &ResetSettings,
        now: Timestamp,
    ) -> Result<&AwaitingPassword, SetPasswordRejection> {
        let state = match &self.state {
            FlowState::AwaitingCode(_) => return Err(SetPasswordRejection::NotProven),
            FlowState::Completed(_) => return Err(SetPasswordRejection::AlreadyUsed),
            FlowState::AwaitingPassword(state) => state,
        };
        if self.is_expired(now) || now >= state.expires_at {
            Err(SetPasswordRejection::Expired)
        } else if !state.proof_digest.is_of_proof(proof) {
            Err(SetPasswordRejection::NotProven)
        } else if state.tries >= settings.password_tries {
            Err(SetPasswordRejection::Exhausted)
        } else {
            Ok(state)
        }
    }
}

impl ProvenReset {
    /// The flow as it was loaded.
    pub fn flow(&self) -> &ResetFlow {
        &self.flow
    }

    /// Whose password it sets.
    pub fn subject(&self) -> &Subject {
        &self.state.subject
    }

    /// How many passwords may still be refused after one more was.
    pub fn tries_left_after_refusal(&self, settings: &ResetSettings) -> u32 {
        settings.password_tries.saturating_sub(self.state.tries + 1)
    }

    /// The flow after a refused password.
    pub fn refused(self) -> ResetFlow {
        let Self { flow, mut state } = self;
        state.tries += 1;
        flow.moved_to(FlowState::AwaitingPassword(state))
    }
}
