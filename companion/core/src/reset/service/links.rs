//! What the links of mails lead to.

use super::{Answer, Failure, ResetService};
use crate::event::{EventKind, Visitor};
use crate::ids::{ChallengeId, FlowId};
use crate::outcome::{LinkView, TokenRejection};
use crate::ports::{BreachedPasswords, IdentityBackend, LimitStore, ResetStore};
use crate::reset::{ConsumedToken, OpenedByToken, ResetFlow, TokenRequest};
use crate::secret::BindingSecret;
use crate::time::Timestamp;

impl<S, L, I, B> ResetService<S, L, I, B>
where
    S: ResetStore,
    L: LimitStore,
    I: IdentityBackend,
    B: BreachedPasswords,
{
    /// What the page behind a code's link shows, in any browser: `binding` is what this one holds of the flow. It changes
    /// nothing (SR-30). `None`: there is no such flow (any more).
    pub async fn view_link(
        &self,
        flow_id: &FlowId,
        linked: &ChallengeId,
        binding: Option<&BindingSecret>,
        now: Timestamp,
    ) -> Result<Option<LinkView>, Failure> {
        let found = self.parts.store.load(flow_id).await?;
        Ok(found.map(|(flow, challenge)| {
            flow.view_link(challenge.as_ref(), linked, binding, &self.parts.settings, now)
        }))
    }

    /// Opens a flow by a one-time token, where the password is chosen; or finds it open, where an earlier press in this browser
    /// has used the token up. Every way in which it doesn't is one answer.
    pub async fn open_by_token(
        &self,
        request: TokenRequest,
        visitor: Visitor,
        now: Timestamp,
    ) -> Answer<OpenedByToken, TokenRejection> {
        if let Err(limit) = self.parts.limiter.set_password(visitor.prefix(), now).await? {
            return Ok(Err(TokenRejection::Limited { retry_after: limit.0 }));
        }
        let (token, identifier) = (request.token.clone(), request.identifier.clone());
        let opens = request.opens.clone();
        let open = |consumed: ConsumedToken| {
            let subject = consumed.subject.clone();
            let opened = ResetFlow::begin_by_token(request, consumed, self.issuing(now));
            let event = self.event(&opened.flow, EventKind::TokenAccepted { subject }, visitor, now);
            (opened, event)
        };
        let opened = self
            .parts
            .store
            .open_by_token(&token, &identifier, now, open)
            .await?;
        let opened = match opened {
            Some(opened) => Some(opened),
            None => self
                .parts
                .store
                .load(&opens.id)
                .await?
                .and_then(|(flow, _)| flow.opened_before(opens, &self.parts.settings, now)),
        };
        Ok(opened.ok_or(TokenRejection::Refused))
    }
}
