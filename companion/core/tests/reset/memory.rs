//! The ports in memory: the least that keeps their promises.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use keyback_core::event::{Event, EventKind};
use keyback_core::identifier::Identifier;
use keyback_core::ids::{ChallengeId, FlowId, Subject};
use keyback_core::one_time_code::CodeDigest;
use keyback_core::outcome::Answer;
use keyback_core::password::{NewPassword, UserFacts};
use keyback_core::ports::{
    BreachedPasswords, CompleteOutcome, Completion, Failure, IdentityBackend, LimitStore, ResetStore, Saved,
    SentCode,
};
use keyback_core::rate_limit::{Crowded, IdentifierHash, LimitKey, LiveCode, TheoreticalArrival};
use keyback_core::reset::{Challenge, ConsumedToken, CountedChallenge, OpenedByToken, Receipt, ResetFlow};
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;

/// All rows.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Rows>>);

#[derive(Default)]
pub(crate) struct Rows {
    /// As JSON, as a store keeps them.
    pub(crate) flows: HashMap<FlowId, String>,
    pub(crate) challenges: HashMap<ChallengeId, Challenge>,
    pub(crate) jobs: Vec<QueuedCode>,
    pub(crate) events: Vec<Event>,
    pub(crate) limits: HashMap<String, TheoreticalArrival>,
    pub(crate) accounts: HashMap<String, Account>,
    /// One-time tokens that may be used, by their digest: the address that each proves.
    pub(crate) tokens: HashMap<String, String>,
    /// What has been asked of the store and the backend, in order.
    pub(crate) asked: Vec<&'static str>,
    /// What somebody else does just before the next write.
    pub(crate) meanwhile: Option<Meanwhile>,
}

pub(crate) type Meanwhile = Box<dyn FnOnce(&mut Rows) + Send>;

pub(crate) struct QueuedCode {
    pub(crate) challenge_id: ChallengeId,
    pub(crate) identifier: String,
    pub(crate) code: String,
}

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) subject: Subject,
    pub(crate) password: Option<String>,
    pub(crate) may_sign_in: bool,
    /// Whether its address is known to be its own.
    pub(crate) is_verified: bool,
}

impl Memory {
    pub(crate) fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap()
    }

    /// The keys of the limits that something takes from, or marks.
    pub(crate) fn limits_touched_by(&self, something: impl FnOnce()) -> Vec<String> {
        let before = self.rows().limits.clone();
        something();
        let rows = self.rows();
        let mut touched: Vec<_> = rows
            .limits
            .iter()
            .filter(|(key, left)| before.get(*key) != Some(left))
            .map(|(key, _)| key.clone())
            .collect();
        touched.sort();
        touched
    }

    fn asked(&self, what: &'static str) -> MutexGuard<'_, Rows> {
        let mut rows = self.rows();
        rows.asked.push(what);
        rows
    }
}

impl Rows {
    pub(crate) fn flow(&self, id: &FlowId) -> Option<ResetFlow> {
        self.flows.get(id).map(|json| serde_json::from_str(json).unwrap())
    }

    /// The compare-and-swap.
    pub(crate) fn swap(&mut self, flow: &ResetFlow) -> Saved {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        match self.flow(flow.id()) {
            Some(held) if held.version() == flow.replaces_version() => {
                self.put(flow);
                Saved::Saved
            }
            _ => Saved::Conflict,
        }
    }

    pub(crate) fn put(&mut self, flow: &ResetFlow) {
        self.flows
            .insert(flow.id().clone(), serde_json::to_string(flow).unwrap());
    }

    /// The live codes of an identifier, beside a flow that asks for one more.
    fn live_codes(&self, identifier: &IdentifierHash, own: Option<&FlowId>, now: Timestamp) -> Vec<LiveCode> {
        let asked = self.events.iter().filter(|event| event.identifier == *identifier);
        let flows: HashSet<_> = asked.map(|event| &event.flow_id).collect();
        let is_live = |challenge: &&Challenge| {
            let flow = self.flow(&challenge.flow_id);
            flows.contains(&challenge.flow_id)
                && !challenge.is_expired(now)
                && flow.is_some_and(|flow| !flow.is_expired(now))
        };
        let live = self.challenges.values().filter(is_live);
        live.map(|challenge| LiveCode {
            expires_at: challenge.expires_at,
            of_this_flow: Some(&challenge.flow_id) == own,
        })
        .collect()
    }

    fn live_codes_beside(&self, sent: &SentCode<'_>) -> Vec<LiveCode> {
        let own = sent.flow.keeps_its_room(sent.event.at).then(|| sent.flow.id());
        self.live_codes(&sent.event.identifier, own, sent.event.at)
    }

    fn send(&mut self, sent: &SentCode<'_>) {
        self.challenges
            .retain(|_, challenge| challenge.flow_id != *sent.flow.id());
        self.challenges
            .insert(sent.challenge.id.clone(), sent.challenge.clone());
        self.jobs.push(QueuedCode {
            challenge_id: sent.job.challenge_id.clone(),
            identifier: sent.job.identifier.as_str().to_owned(),
            code: sent.job.code.reveal().to_owned(),
        });
        self.events.push(sent.event.clone());
    }

    /// What the worker does: find the account, bind its subject, and only then send.
    pub(crate) fn deliver(&mut self) -> Vec<(String, String)> {
        let mut inbox = Vec::new();
        for job in std::mem::take(&mut self.jobs) {
            let account = self
                .accounts
                .get(&job.identifier)
                .filter(|account| account.may_sign_in && account.is_verified);
            if let (Some(account), Some(challenge)) = (account, self.challenges.get_mut(&job.challenge_id)) {
                challenge.subject = Some(account.subject.clone());
                inbox.push((job.identifier, job.code));
            }
        }
        inbox
    }
}

impl ResetStore for Memory {
    async fn begin(&self, sent: &SentCode<'_>) -> Answer<(), Crowded> {
        let mut rows = self.asked("begin");
        let admitted = sent.room.admit(&rows.live_codes_beside(sent));
        if admitted.is_ok() {
            rows.put(sent.flow);
            rows.send(sent);
        }
        Ok(admitted)
    }

    async fn live_codes(
        &self,
        identifier: &IdentifierHash,
        now: Timestamp,
    ) -> Result<Vec<LiveCode>, Failure> {
        Ok(self.asked("live_codes").live_codes(identifier, None, now))
    }

    async fn open_by_token(
        &self,
        token: &SecretDigest,
        identifier: &Identifier,
        _: Timestamp,
        open: impl FnOnce(ConsumedToken) -> (OpenedByToken, Event) + Send,
    ) -> Result<Option<OpenedByToken>, Failure> {
        let mut rows = self.asked("open_by_token");
        let digest = String::from(token.clone());
        let account = rows.accounts.get(identifier.as_str()).cloned();
        let account = account.filter(|account| account.may_sign_in);
        let proves = rows.tokens.get(&digest).map(String::as_str) == Some(identifier.as_str());
        let Some(Account { subject, .. }) = account.filter(|_| proves) else {
            return Ok(None);
        };
        rows.tokens.remove(&digest);
        let (opened, event) = open(ConsumedToken { subject });
        rows.put(&opened.flow);
        rows.events.push(event);
        Ok(Some(opened))
    }

    async fn load(&self, id: &FlowId) -> Result<Option<(ResetFlow, Option<Challenge>)>, Failure> {
        let rows = self.asked("load");
        Ok(rows.flow(id).map(|flow| {
            let challenge = flow
                .challenge_id()
                .and_then(|id| rows.challenges.get(id))
                .cloned();
            (flow, challenge)
        }))
    }

    async fn save(&self, flow: &ResetFlow, event: &Event) -> Result<Saved, Failure> {
        let mut rows = self.asked("save");
        let saved = rows.swap(flow);
        if saved == Saved::Saved {
            rows.events.push(event.clone());
        }
        Ok(saved)
    }

    async fn supersede(&self, sent: &SentCode<'_>) -> Answer<Saved, Crowded> {
        let mut rows = self.asked("supersede");
        let before = rows.flows.clone();
        let saved = rows.swap(sent.flow);
        if saved == Saved::Saved {
            if let Err(crowded) = sent.room.admit(&rows.live_codes_beside(sent)) {
                rows.flows = before;
                return Ok(Err(crowded));
            }
            rows.send(sent);
        }
        Ok(Ok(saved))
    }

    async fn count_attempt(
        &self,
        id: &ChallengeId,
        _: Timestamp,
        max: u32,
    ) -> Result<Option<CountedChallenge>, Failure> {
        let mut rows = self.asked("count_attempt");
        let challenge = rows
            .challenges
            .get_mut(id)
            .filter(|challenge| challenge.attempts < max);
        Ok(challenge.map(|challenge| {
            challenge.attempts += 1;
            CountedChallenge {
                attempts: challenge.attempts,
                code_digest: CodeDigest::from_parts(
                    challenge.code_digest.key_id(),
                    *challenge.code_digest.as_bytes(),
                ),
                subject: challenge.subject.clone(),
            }
        }))
    }

    async fn record(&self, event: &Event) -> Result<(), Failure> {
        self.asked("record").events.push(event.clone());
        Ok(())
    }
}

impl LimitStore for Memory {
    async fn update<D: Send>(
        &self,
        keys: &[LimitKey],
        decide: impl FnOnce(&mut [Option<TheoreticalArrival>]) -> D + Send,
    ) -> Result<D, Failure> {
        let mut rows = self.asked("update");
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let mut held: Vec<_> = keys.iter().map(|key| rows.limits.get(key).copied()).collect();
        let decision = decide(&mut held);
        let held = keys.into_iter().zip(held);
        rows.limits
            .extend(held.filter_map(|(key, held)| Some((key, held?))));
        Ok(decision)
    }
}

impl IdentityBackend for Memory {
    async fn policy_facts(&self, subject: &Subject) -> Result<Option<UserFacts>, Failure> {
        let rows = self.asked("policy_facts");
        let account = rows
            .accounts
            .iter()
            .find(|(_, account)| account.subject == *subject && account.may_sign_in);
        Ok(account.map(|(address, _)| UserFacts {
            email: Some(address.clone()),
            ..UserFacts::default()
        }))
    }

    async fn has_password(&self, subject: &Subject, password: &NewPassword) -> Result<bool, Failure> {
        let rows = self.asked("has_password");
        let account = rows.accounts.values().find(|account| account.subject == *subject);
        Ok(account.and_then(|account| account.password.as_deref()) == Some(password.expose()))
    }

    async fn complete(&self, completion: Completion) -> Result<CompleteOutcome, Failure> {
        let mut rows = self.asked("complete");
        let Completion {
            reset,
            password,
            visitor,
            now,
        } = completion;
        let subject = reset.subject().clone();
        let exists = rows
            .accounts
            .values()
            .any(|account| account.subject == subject && account.may_sign_in);
        if !exists {
            return Ok(CompleteOutcome::AccountUnavailable);
        }
        let receipt = Receipt {
            sessions_ended: 2,
            grants_revoked: 1,
            apps_told: 1,
        };
        let event = rows.events.last().cloned();
        let flow = reset.complete(receipt, now);
        if rows.swap(&flow) == Saved::Conflict {
            return Ok(CompleteOutcome::Conflict);
        }
        for account in rows
            .accounts
            .values_mut()
            .filter(|account| account.subject == subject)
        {
            account.password = Some(password.expose().to_owned());
        }
        let kind = EventKind::ResetCompleted { subject, receipt };
        rows.events.extend(event.map(|event| Event {
            at: now,
            visitor,
            kind,
            ..event
        }));
        Ok(CompleteOutcome::Completed(receipt))
    }
}

impl BreachedPasswords for Memory {
    async fn range(&self, _: &str) -> Result<String, Failure> {
        Err(Failure::broken("ask the corpus", "there is none"))
    }
}
