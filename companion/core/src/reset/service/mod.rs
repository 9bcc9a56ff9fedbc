//! The steps over the ports. This is the only place of the flow that waits for anything.

mod links;

use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenge;
use super::flow::ResetFlow;
use super::identify::ResetRequest;
use super::set_password::{ProvenReset, SetPasswordRequest};
use super::settings::{Issuing, ResetSettings};
use super::verify::{Accepted, VerifyRequest};
use crate::event::{Event, EventKind, Visitor};
use crate::ids::FlowId;
use crate::one_time_code::{CodeContext, CodeKeyring};
use crate::outcome::{
    Answer, Begun, FlowView, IdentifyRejection, PasswordSet, ResendRejection, Resent, SetPasswordRejection,
    Verified, VerifyRejection, ViewRejection,
};
use crate::password::{NewPassword, PasswordGate, PasswordRejection};
use crate::ports::{
    BreachedPasswords, CompleteOutcome, Completion, Failure, IdentityBackend, LimitStore, ReplacedPassword,
    ResetStore, Saved,
};
use crate::random::Random;
use crate::rate_limit::{IdentifierHasher, Limiter};
use crate::secret::BindingSecret;
use crate::time::Timestamp;

/// The reset, step by step. Every method is one request of the visitor's.
pub struct ResetService<S, L, I, B> {
    parts: ResetParts<S, L, I, B>,
}

/// The password of an account whose control is proved.
struct PasswordOf<'a, I> {
    backend: &'a I,
    reset: &'a ProvenReset,
}

impl<I: IdentityBackend> ReplacedPassword for PasswordOf<'_, I> {
    async fn is(&self, new: &NewPassword) -> Result<bool, Failure> {
        self.backend.has_password(self.reset.subject(), new).await
    }
}

/// What the service is made of.
pub struct ResetParts<S, L, I, B> {
    /// Flows, challenges and jobs.
    pub store: S,
    /// The limits.
    pub limiter: Limiter<L>,
    /// Who owns the accounts.
    pub backend: I,
    /// What a new password must pass.
    pub passwords: PasswordGate<B>,
    /// The keys of code digests.
    pub keyring: CodeKeyring,
    /// Names identifiers in limits and events.
    pub hasher: IdentifierHasher,
    /// Where codes and secrets are drawn from.
    pub random: Arc<dyn Random>,
    /// Life times and counts.
    pub settings: ResetSettings,
}

impl<S, L, I, B> ResetService<S, L, I, B>
where
    S: ResetStore,
    L: LimitStore,
    I: IdentityBackend,
    B: BreachedPasswords,
{
    /// Puts the parts together.
    pub fn new(parts: ResetParts<S, L, I, B>) -> Self {
        Self { parts }
    }

    /// Life times and counts.
    pub fn settings(&self) -> &ResetSettings {
        &self.parts.settings
    }

    /// What a new password must pass.
    pub fn passwords(&self) -> &PasswordGate<B> {
        &self.parts.passwords
    }

    /// Opens a flow and asks for a code. What happens is the same for every identifier: the account is looked up by the
    /// worker that sends, never here (SR-1, SR-2).
    pub async fn identify(
        &self,
        request: ResetRequest,
        visitor: Visitor,
        now: Timestamp,
    ) -> Answer<Begun, IdentifyRejection> {
        let channel = request.identifier.kind();
        if !self.parts.settings.channels.serve(channel) {
            return Ok(Err(IdentifyRejection::ChannelUnavailable));
        }
        let hash = self.parts.hasher.hash(&request.identifier);
        let limited = |retry_after| Ok(Err(IdentifyRejection::Limited { retry_after }));
        let live = self.parts.store.live_codes(&hash, now).await?;
        if let Err(crowded) = self.parts.limiter.room_for_anybody().admit(&live) {
            return limited(crowded.until.since(now));
        }
        let app = request.client_id.as_deref();
        let room = match self.parts.limiter.send(&hash, app, visitor.prefix(), now).await? {
            Ok(room) => room,
            Err(limit) => return limited(limit.0),
        };
        let issuing = Issuing {
            send_after: request.send_after,
            ..self.issuing(now)
        };
        let opened = ResetFlow::begin(request, issuing);
        let event = self.event(&opened.flow, EventKind::ResetRequested { channel }, visitor, now);
        if let Err(crowded) = self.parts.store.begin(&opened.sent(&event, room)).await? {
            return limited(crowded.until.since(now));
        }
        Ok(Ok(Begun {
            flow_id: opened.flow.id().clone(),
            challenge_id: opened.challenge.id,
            binding: opened.binding,
            code_expires_at: opened.challenge.expires_at,
            resend_at: now + self.parts.settings.resend_cooldown,
        }))
    }

    /// What the page of the flow's step shows. It changes nothing.
    pub async fn view(
        &self,
        flow_id: &FlowId,
        binding: &BindingSecret,
        now: Timestamp,
    ) -> Answer<FlowView, ViewRejection> {
        Ok(self
            .load(flow_id, binding)
            .await?
            .map(|(flow, challenge)| flow.view(challenge.as_ref(), &self.parts.settings, now)))
    }

    /// Asks for another code in the same flow, to be sent `send_after` from now.
    pub async fn resend(
        &self,
        flow_id: &FlowId,
        binding: &BindingSecret,
        send_after: Duration,
        visitor: Visitor,
        now: Timestamp,
    ) -> Answer<Resent, ResendRejection> {
        let flow = match self.load(flow_id, binding).await? {
            Ok((flow, _)) => flow,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        if let Err(rejection) = flow.expect_resend(now) {
            return Ok(Err(rejection));
        }
        let hash = self.parts.hasher.hash(flow.identifier());
        let limited = |retry_after| Ok(Err(ResendRejection::Limited { retry_after }));
        let room = match self
            .parts
            .limiter
            .send_again(&hash, flow.client_id(), visitor.prefix(), now)
            .await?
        {
            Ok(room) => room,
            Err(limit) => return limited(limit.0),
        };
        let issuing = Issuing {
            send_after,
            ..self.issuing(now)
        };
        let reissued = match flow.resend(issuing) {
            Ok(reissued) => reissued,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let kind = EventKind::CodeResent {
            sends: reissued.sends,
        };
        let event = self.event(&reissued.flow, kind, visitor, now);
        match self.parts.store.supersede(&reissued.sent(&event, room)).await? {
            Err(crowded) => limited(crowded.until.since(now)),
            Ok(Saved::Saved) => Ok(Ok(Resent {
                challenge_id: reissued.challenge.id,
                code_expires_at: reissued.challenge.expires_at,
                resend_at: now + self.parts.settings.resend_cooldown,
            })),
            Ok(Saved::Conflict) => {
                let told = self.overtaken(flow_id, binding, |flow, _| {
                    let told = flow.expect_resend(now);
                    told.err().unwrap_or(ResendRejection::AlreadyUsed)
                });
                told.await.map(Err)
            }
        }
    }

    /// Tries a code. What the flow alone tells is told first; then the attempt is counted; only then is the code looked at.
    pub async fn verify(
        &self,
        request: VerifyRequest<'_>,
        visitor: Visitor,
        now: Timestamp,
    ) -> Answer<Verified, VerifyRejection> {
        let VerifyRequest {
            flow_id,
            binding,
            challenge_id: named,
            code,
        } = request;
        let settings = &self.parts.settings;
        let (flow, challenge) = match self.load(flow_id, binding).await? {
            Ok(found) => found,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let challenge_id = match flow.expect_code(challenge.as_ref(), named, settings, now) {
            Ok(challenge) => challenge.id.clone(),
            Err(rejection) => return Ok(Err(rejection)),
        };
        let hash = self.parts.hasher.hash(flow.identifier());
        if let Err(limit) = self.parts.limiter.verify(&hash, visitor.prefix(), now).await? {
            return Ok(Err(VerifyRejection::Limited { retry_after: limit.0 }));
        }
        // What the flow tells once somebody else has moved it on.
        let overtaken = |otherwise| {
            let named = Some(&challenge_id);
            self.overtaken(flow_id, binding, move |flow, challenge| {
                let told = flow.expect_code(challenge.as_ref(), named, settings, now);
                told.err().unwrap_or(otherwise)
            })
        };
        let count = self
            .parts
            .store
            .count_attempt(&challenge_id, now, settings.code_attempts);
        let Some(counted) = count.await? else {
            return overtaken(VerifyRejection::Exhausted).await.map(Err);
        };
        let attempts = counted.attempts;
        let context = CodeContext {
            flow_id: flow.id(),
            challenge_id: &challenge_id,
            identifier: flow.identifier(),
            client_id: flow.client_id(),
        };
        let Some(checked) = counted.check(&self.parts.keyring, code, &context) else {
            let attempts_left = settings.code_attempts.saturating_sub(attempts);
            let kind = if attempts_left == 0 {
                EventKind::AttemptsExhausted { attempts }
            } else {
                EventKind::CodeRejected { attempts }
            };
            let event = self.event(&flow, kind, visitor, now);
            self.parts.store.record(&event).await?;
            return Ok(Err(VerifyRejection::WrongCode { attempts_left }));
        };
        // Before anything else is done: should this fail, no proof is lost.
        self.parts.limiter.guessed(&hash, now).await?;
        let subject = checked.subject().clone();
        let (flow, proof, expires_at) = match flow.accept_code(checked, self.issuing(now)) {
            Ok(Accepted {
                flow,
                proof,
                expires_at,
            }) => (flow, proof, expires_at),
            Err(rejection) => return Ok(Err(rejection)),
        };
        let event = self.event(&flow, EventKind::CodeAccepted { subject }, visitor, now);
        match self.parts.store.save(&flow, &event).await? {
            Saved::Saved => Ok(Ok(Verified { proof, expires_at })),
            Saved::Conflict => overtaken(VerifyRejection::AlreadyUsed).await.map(Err),
        }
    }

    /// Sets the password: the proof, then the policy, then everything that follows, once.
    pub async fn set_password(
        &self,
        request: SetPasswordRequest<'_>,
        visitor: Visitor,
        now: Timestamp,
    ) -> Answer<PasswordSet, SetPasswordRejection> {
        let SetPasswordRequest {
            flow_id,
            binding,
            proof,
            password,
        } = request;
        let flow = match self.load(flow_id, binding).await? {
            Ok((flow, _)) => flow,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let reset = match flow.prove(proof, &self.parts.settings, now) {
            Ok(reset) => reset,
            Err(rejection) => return Ok(Err(rejection)),
        };
        if let Err(limit) = self.parts.limiter.set_password(visitor.prefix(), now).await? {
            return Ok(Err(SetPasswordRejection::Limited { retry_after: limit.0 }));
        }
        // What the flow tells once somebody else has moved it on.
        let overtaken = || {
            self.overtaken(flow_id, binding, |flow, _| {
                let told = flow.expect_proof(proof, &self.parts.settings, now);
                told.err().unwrap_or(SetPasswordRejection::Overtaken)
            })
        };
        let Some(facts) = self.parts.backend.policy_facts(reset.subject()).await? else {
            return Ok(Err(SetPasswordRejection::AccountUnavailable));
        };
        let replaced = PasswordOf {
            backend: &self.parts.backend,
            reset: &reset,
        };
        let password = match self.parts.passwords.accept(password, &facts, &replaced).await? {
            Ok(password) => password,
            Err(PasswordRejection::CheckUnavailable) => {
                return Ok(Err(SetPasswordRejection::CheckUnavailable));
            }
            Err(PasswordRejection::Weak(violations)) => {
                let codes = violations
                    .iter()
                    .map(|violation| violation.code().to_owned())
                    .collect();
                let tries_left = reset.tries_left_after_refusal(&self.parts.settings);
                return match self.refuse(reset, codes, visitor, now).await? {
                    Saved::Saved => Ok(Err(SetPasswordRejection::Weak {
                        violations,
                        tries_left,
                    })),
                    Saved::Conflict => overtaken().await.map(Err),
                };
            }
        };
        let completion = Completion {
            reset,
            password,
            visitor,
            now,
        };
        match self.parts.backend.complete(completion).await? {
            CompleteOutcome::Completed(receipt) => Ok(Ok(PasswordSet { receipt })),
            CompleteOutcome::AccountUnavailable => Ok(Err(SetPasswordRejection::AccountUnavailable)),
            CompleteOutcome::Conflict => overtaken().await.map(Err),
        }
    }

    async fn load(
        &self,
        flow_id: &FlowId,
        binding: &BindingSecret,
    ) -> Answer<(ResetFlow, Option<Challenge>), ViewRejection> {
        Ok(match self.parts.store.load(flow_id).await? {
            None => Err(ViewRejection::UnknownFlow),
            Some((flow, _)) if !flow.belongs_to(binding) => Err(ViewRejection::OtherBrowser),
            Some(found) => Ok(found),
        })
    }

    /// Counts a refused password, unless somebody else has moved the flow on: a try that isn't counted is told nothing.
    async fn refuse(
        &self,
        reset: ProvenReset,
        violations: Vec<String>,
        visitor: Visitor,
        now: Timestamp,
    ) -> Result<Saved, Failure> {
        let kind = EventKind::PasswordRejected {
            subject: reset.subject().clone(),
            violations,
        };
        let flow = reset.refused();
        let event = self.event(&flow, kind, visitor, now);
        self.parts.store.save(&flow, &event).await
    }

    /// Somebody else moved the flow on in the meantime: the answer is what it tells by now.
    async fn overtaken<R: From<ViewRejection>>(
        &self,
        flow_id: &FlowId,
        binding: &BindingSecret,
        tell: impl FnOnce(ResetFlow, Option<Challenge>) -> R,
    ) -> Result<R, Failure> {
        Ok(match self.load(flow_id, binding).await? {
            Ok((flow, challenge)) => tell(flow, challenge),
            Err(rejection) => rejection.into(),
        })
    }

    fn issuing(&self, now: Timestamp) -> Issuing<'_> {
        Issuing {
            keyring: &self.parts.keyring,
            random: &*self.parts.random,
            settings: &self.parts.settings,
            send_after: Duration::ZERO,
            now,
        }
    }

    fn event(&self, flow: &ResetFlow, kind: EventKind, visitor: Visitor, now: Timestamp) -> Event {
        Event {
            at: now,
            visitor,
            flow_id: flow.id().clone(),
            client_id: flow.client_id().map(str::to_owned),
            identifier: self.parts.hasher.hash(flow.identifier()),
            kind,
        }
    }
}
