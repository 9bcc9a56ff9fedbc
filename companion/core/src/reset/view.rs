//! What a page shows of a flow.

use super::challenge::Challenge;
use super::flow::{FlowState, ResetFlow};
use super::settings::ResetSettings;
use crate::ids::ChallengeId;
use crate::outcome::{CodeStanding, FlowView, LinkView, ProofStanding, StepView};
use crate::secret::BindingSecret;
use crate::time::Timestamp;

impl ResetFlow {
    /// The step that the flow is at. A decoy's looks the same.
    pub fn view(&self, challenge: Option<&Challenge>, settings: &ResetSettings, now: Timestamp) -> FlowView {
        FlowView {
            identifier: self.identifier.clone(),
            client_id: self.client_id.clone(),
            interaction: self.interaction.clone(),
            step: self.step(challenge, settings, now),
        }
    }

    /// What the link of the `linked` challenge's code shows. Whether the code may be tried is asked as a try would ask it.
    pub fn view_link(
        &self,
        challenge: Option<&Challenge>,
        linked: &ChallengeId,
        binding: Option<&BindingSecret>,
        settings: &ResetSettings,
        now: Timestamp,
    ) -> LinkView {
        LinkView {
            identifier: self.identifier.clone(),
            client_id: self.client_id.clone(),
            interaction: self.interaction.clone(),
            is_own: binding.is_some_and(|binding| self.belongs_to(binding)),
            code: self
                .expect_code(challenge, Some(linked), settings, now)
                .map(|challenge| challenge.expires_at),
        }
    }

    fn step(&self, challenge: Option<&Challenge>, settings: &ResetSettings, now: Timestamp) -> StepView {
        match &self.state {
            FlowState::Completed(state) => StepView::Done {
                receipt: state.receipt,
            },
            FlowState::AwaitingCode(_) | FlowState::AwaitingPassword(_) if self.is_expired(now) => {
                StepView::Expired
            }
            FlowState::AwaitingCode(state) => {
                let attempts = challenge.map_or(settings.code_attempts, |challenge| challenge.attempts);
                let attempts_left = settings.code_attempts.saturating_sub(attempts);
                let expires_at = challenge.map_or(now, |challenge| challenge.expires_at);
                let standing = if now >= expires_at {
                    CodeStanding::Expired
                } else if attempts_left == 0 {
                    CodeStanding::Exhausted
                } else {
                    CodeStanding::Live
                };
                StepView::Code {
                    challenge_id: state.challenge_id.clone(),
                    standing,
                    expires_at,
                    resend_at: state.resend_at,
                    attempts_left,
                }
            }
            FlowState::AwaitingPassword(state) => {
                let tries_left = settings.password_tries.saturating_sub(state.tries);
                let standing = if now >= state.expires_at {
                    ProofStanding::Expired
                } else if tries_left == 0 {
                    ProofStanding::Exhausted
                } else {
                    ProofStanding::Live
                };
                StepView::Password {
                    expires_at: state.expires_at,
                    tries_left,
                    standing,
                }
            }
        }
    }
}
