//! The way in by a one-time token, which a site's server made and sent to the address: it proves what a code would, so the
//! flow begins where the password is chosen.

use super::flow::{FlowState, ResetFlow};
use super::set_password::AwaitingPassword;
use super::settings::Issuing;
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
        } = request;
        let (binding, proof) = (BindingSecret::issue(with.random), Proof::issue(with.random));
        let expires_at = with.now + with.settings.proof_life;
        let flow = Self {
            id: FlowId::draw(with.random),
            version: 0,
            binding: binding.digest(),
            identifier,
            client_id,
            interaction,
            created_at: with.now,
            expires_at: with.now + with.settings.flow_life,
            state: FlowState::AwaitingPassword(AwaitingPassword {
                subject: consumed.subject,
                proof_digest: proof.digest(),
                expires_at,
                tries: 0,
            }),
        };
        OpenedByToken {
            flow,
            binding,
            proof,
            expires_at,
        }
    }
}
