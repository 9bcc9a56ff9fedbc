//! The flow: who it is for, whose browser it belongs to, and the state it is in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::complete::Completed;
use super::set_password::AwaitingPassword;
use super::settings::Issuing;
use super::verify::AwaitingCode;
use crate::identifier::Identifier;
use crate::ids::{ChallengeId, FlowId, Subject};
use crate::secret::{BindingSecret, SecretDigest};
use crate::time::Timestamp;

/// How long a flow keeps its room: as long as a code may live at most (SR-17).
const ROOM_KEPT: Duration = Duration::from_secs(600);

/// One run through the reset, from the identifier to the new password.
///
/// It rests as JSON. Its fields are private: outside this module a flow changes by its transitions only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResetFlow {
    pub(super) id: FlowId,
    pub(super) version: i64,
    pub(super) binding: SecretDigest,
    pub(super) identifier: Identifier,
    pub(super) client_id: Option<String>,
    pub(super) interaction: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) state: FlowState,
}

/// Where a flow stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FlowState {
    /// A code was asked for; whether anybody got one, the flow doesn't know.
    AwaitingCode(AwaitingCode),
    /// The code was right; whoever holds the proof may set the password.
    AwaitingPassword(AwaitingPassword),
    /// The password is set.
    Completed(Completed),
}

/// What a flow has from its beginning on.
pub(super) struct Beginning<'a> {
    pub(super) id: FlowId,
    pub(super) binding: &'a BindingSecret,
    pub(super) identifier: Identifier,
    pub(super) client_id: Option<String>,
    pub(super) interaction: Option<String>,
}

impl ResetFlow {
    /// A flow that begins in a state.
    pub(super) fn new(begins: Beginning<'_>, state: FlowState, with: Issuing<'_>) -> Self {
        let Beginning {
            id,
            binding,
            identifier,
            client_id,
            interaction,
        } = begins;
        Self {
            id,
            version: 0,
            binding: binding.digest(),
            identifier,
            client_id,
            interaction,
            created_at: with.now,
            expires_at: with.now + with.settings.flow_life,
            state,
        }
    }

    /// The name of the flow.
    pub fn id(&self) -> &FlowId {
        &self.id
    }

    /// Zero when new, one more with every transition.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The version that the store must still hold for this one to be written.
    pub fn replaces_version(&self) -> i64 {
        self.version - 1
    }

    /// What the visitor typed, normalised.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// The app that the visitor came from.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The interaction of the provider that the reset runs in: the one that does not end with it (SR-54).
    pub fn interaction(&self) -> Option<&str> {
        self.interaction.as_deref()
    }

    /// When it began.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it is over, whatever its state; later it may be swept.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Where it stands.
    pub fn state(&self) -> &FlowState {
        &self.state
    }

    /// The challenge that its state names.
    pub fn challenge_id(&self) -> Option<&ChallengeId> {
        match &self.state {
            FlowState::AwaitingCode(state) => Some(&state.challenge_id),
            FlowState::AwaitingPassword(_) | FlowState::Completed(_) => None,
        }
    }

    /// The user, once a code has told which.
    pub fn subject(&self) -> Option<&Subject> {
        match &self.state {
            FlowState::AwaitingPassword(state) => Some(&state.subject),
            FlowState::Completed(state) => Some(&state.subject),
            FlowState::AwaitingCode(_) => None,
        }
    }

    /// Whether it was begun in the browser that holds this secret.
    pub fn belongs_to(&self, binding: &BindingSecret) -> bool {
        self.binding.is_of_binding(binding)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether another code of it takes the room of the one before, where there is none for more (SR-22). Not for longer than the
    /// first would have lived: who asks again and again would hold the room as long as the flow lives.
    pub fn keeps_its_room(&self, now: Timestamp) -> bool {
        now.since(self.created_at) < ROOM_KEPT
    }

    pub(super) fn moved_to(self, state: FlowState) -> Self {
        Self {
            version: self.version + 1,
            state,
            ..self
        }
    }
}
