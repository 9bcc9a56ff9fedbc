//! The first step: an identifier opens a flow, whoever it belongs to, and a code is asked for.

use std::time::Duration;

use super::challenge::Challenge;
use super::flow::{Beginning, FlowState, ResetFlow};
use super::settings::Issuing;
use super::verify::AwaitingCode;
use crate::event::Event;
use crate::identifier::Identifier;
use crate::ids::FlowId;
use crate::ports::{CodeJob, SentCode};
use crate::rate_limit::CodeRoom;
use crate::secret::BindingSecret;

/// What a visitor asks for.
#[derive(Clone, Debug)]
pub struct ResetRequest {
    /// Whose password is forgotten.
    pub identifier: Identifier,
    /// The app that the visitor came from.
    pub client_id: Option<String>,
    /// The interaction of the provider that the reset runs in, an opaque handle.
    pub interaction: Option<String>,
    /// How much later the code is sent: zero, but for who is let in by the slow way (SR-13).
    pub send_after: Duration,
}

/// A new flow, and what belongs to it.
#[derive(Debug)]
pub struct Opened {
    /// The flow.
    pub flow: ResetFlow,
    /// Its first challenge.
    pub challenge: Challenge,
    /// The job that sends the code.
    pub job: CodeJob,
    /// The browser's half of the binding.
    pub binding: BindingSecret,
}

impl Opened {
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
    /// Opens a flow.
    pub fn begin(request: ResetRequest, with: Issuing<'_>) -> Opened {
        let ResetRequest {
            identifier,
            client_id,
            interaction,
            send_after: _,
        } = request;
        let id = FlowId::draw(with.random);
        let binding = BindingSecret::issue(with.random);
        let (challenge, job) = Challenge::issue(&id, &identifier, client_id.as_deref(), with);
        let begins = Beginning {
            id,
            binding: &binding,
            identifier,
            client_id,
            interaction,
        };
        let state = FlowState::AwaitingCode(AwaitingCode {
            challenge_id: challenge.id.clone(),
            sends: 1,
            resend_at: with.now + with.settings.resend_cooldown,
        });
        let flow = Self::new(begins, state, with);
        Opened {
            flow,
            challenge,
            job,
            binding,
        }
    }
}
