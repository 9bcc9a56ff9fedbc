//! The way in by a one-time token, which a site's server made and sent to the address: it proves what a code would, so the
//! flow begins where the password is chosen.

use super::flow::{Beginning, FlowState, ResetFlow};
use super::set_password::AwaitingPassword;
use super::settings::{Issuing, ResetSettings};
use crate::identifier::Identifier;
use crate::ids::{FlowId, Subject};
use crate::secret::{BindingSecret, Proof, SecretDigest};
use crate::time::Timestamp;

/// A one-time token is brought.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What rests of the token.
    pub token: SecretDigest,
    /// The address that it is said to prove.
    pub identifier: Identifier,
    /// The app that the visitor came from.
    pub client_id: Option<String>,
    /// The interaction of the provider that the reset runs in, an opaque handle.
    pub interaction: Option<String>,
    /// What the flow is to be called, and its secrets.
    pub opens: TokenFlow,
}

/// The name and the secrets of the flow that a token opens in one browser. They are the same whenever this browser brings the
/// token, so that a second press of its button finds what the first one has opened; no other browser has them.
#[derive(Clone, Debug)]
pub struct TokenFlow {
    /// The flow's name.
    pub id: FlowId,
    /// The browser's half of the binding.
    pub binding: BindingSecret,
    /// What sets the password.
    pub proof: Proof,
}

/// A token that was used up just now, in the transaction that writes the flow it opens, and whose account it was for. Only
/// [`ResetStore::open_by_token`](crate::ports::ResetStore::open_by_token) has one to give.
#[derive(Debug)]
pub struct ConsumedToken {
    /// Whose account may be reset over the address.
    pub subject: Subject,
}

/// A flow that begins proven, and what the browser gets.
#[derive(Debug)]
pub struct OpenedByToken {
    /// The flow.
    pub flow: ResetFlow,
    /// The browser's half of the binding.
    pub binding: BindingSecret,
    /// What sets the password.
    pub proof: Proof,
    /// Until when it does.
    pub expires_at: Timestamp,
    /// Whether an earlier press in the same browser has opened it, and used the token up.
    pub is_again: bool,
}

impl ResetFlow {
    /// Opens a flow by a token, and issues its only proof.
    pub fn begin_by_token(
        request: TokenRequest,
        consumed: ConsumedToken,
        with: Issuing<'_>,
    ) -> OpenedByToken {
        let TokenRequest {
            token: _,
            identifier,
            client_id,
            interaction,
            opens: TokenFlow { id, binding, proof },
        } = request;
        let expires_at = with.now + with.settings.proof_life;
        let begins = Beginning {
            id,
            binding: &binding,
            identifier,
            client_id,
            interaction,
        };
        let state = FlowState::AwaitingPassword(AwaitingPassword {
            subject: consumed.subject,
            proof_digest: proof.digest(),
            expires_at,
            tries: 0,
        });
        let flow = Self::new(begins, state, with);
        OpenedByToken {
            flow,
            binding,
            proof,
            expires_at,
            is_again: false,
        }
    }

    /// What an earlier press in this browser has opened, while its proof can still set a password.
    pub fn opened_before(
        self,
        opens: TokenFlow,
        settings: &ResetSettings,
        now: Timestamp,
    ) -> Option<OpenedByToken> {
        let TokenFlow {
            id: _,
            binding,
            proof,
        } = opens;
        if !self.belongs_to(&binding) {
            return None;
        }
        let expires_at = self.expect_proof(&proof, settings, now).ok()?.expires_at;
        Some(OpenedByToken {
            flow: self,
            binding,
            proof,
            expires_at,
            is_again: true,
        })
    }
}
