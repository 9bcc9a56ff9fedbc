//! The domain's ports for flows and limits, on Keyback's own rows, whoever owns the accounts.

use std::sync::Arc;

use keyback_core::event::Event;
use keyback_core::identifier::{Identifier, IdentifierKind};
use keyback_core::ids::{ChallengeId, FlowId, Subject};
use keyback_core::outcome::Answer;
use keyback_core::ports::{CodeJob, Failure, LimitStore, ResetStore, Saved, SentCode};
use keyback_core::random::Random;
use keyback_core::rate_limit::{Crowded, IdentifierHash, LimitKey, LiveCode, TheoreticalArrival};
use keyback_core::reset::{Challenge, ConsumedToken, CountedChallenge, OpenedByToken, ResetFlow};
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::fail_point::{FailPoint, Write};
use crate::outbox::Outbox;
use crate::reset_links::ResetLinks;
use crate::store::audit::CodeOf;
use crate::store::{Store, StoreError, Transaction, audit, former_addresses, jobs, one_time_tokens, reset};

/// Requests that ask the limits at one time. Every request of a flood does, and the store has one writer, whom they would
/// all wait for in one line with the worker and with everybody who got past them (SR-50): so they have a line of their own.
const LIMITS_AT_ONCE: usize = 4;

/// Flows, challenges, limits and the jobs that carry codes. Cheap to clone.
#[derive(Clone)]
pub struct ResetRows {
    store: Store,
    limits_at_once: Arc<Semaphore>,
    outbox: Outbox,
    /// Where mails carry links.
    links: Option<ResetLinks>,
    random: Arc<dyn Random>,
}

impl ResetRows {
    pub fn new(store: Store, outbox: Outbox, links: Option<ResetLinks>, random: Arc<dyn Random>) -> Self {
        Self {
            store,
            limits_at_once: Arc::new(Semaphore::new(LIMITS_AT_ONCE)),
            outbox,
            links,
            random,
        }
    }

    /// The link of a code that is asked for by mail. Whether anybody gets it is not known here.
    fn link_of(&self, job: &CodeJob) -> Option<Zeroizing<String>> {
        let links = self.links.as_ref()?;
        (job.identifier.kind() == IdentifierKind::Email).then(|| links.seal(job))
    }

    async fn write_begin(&self, sent: &SentCode<'_>) -> Result<Result<(), Crowded>, StoreError> {
        let mut tx = self.store.begin().await?;
        if let Err(crowded) = admit(&mut tx, sent).await? {
            return Ok(Err(crowded));
        }
        reset::add_flow(&mut *tx, sent.flow).await?;
        self.write_code(&mut tx, sent).await?;
        FailPoint::BeforeCommit(Write::Begin).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Begin).reach();
        self.outbox.wake();
        Ok(Ok(()))
    }

    /// The challenge, the job that sends its code, and the event.
    async fn write_code(&self, tx: &mut Transaction, sent: &SentCode<'_>) -> Result<(), StoreError> {
        reset::add_challenge(&mut **tx, sent.challenge, &sent.event.identifier).await?;
        self.outbox
            .send_code(&mut **tx, sent.job, self.link_of(sent.job))
            .await?;
        audit::write_event(&mut **tx, self.random.as_ref(), sent.event).await
    }

    async fn write_open_by_token(
        &self,
        token: &SecretDigest,
        identifier: &Identifier,
        now: Timestamp,
        open: impl FnOnce(ConsumedToken) -> (OpenedByToken, Event) + Send,
    ) -> Result<Option<OpenedByToken>, StoreError> {
        let mut tx = self.store.begin().await?;
        if !one_time_tokens::consume_for_reset(&mut *tx, token, identifier, now).await? {
            return Ok(None);
        }
        // Dropping the transaction takes the use back.
        let Some(found) = former_addresses::find_resettable(&mut *tx, identifier, now).await? else {
            return Ok(None);
        };
        let (opened, event) = open(ConsumedToken {
            subject: Subject::new(found.user.id),
        });
        reset::add_flow(&mut *tx, &opened.flow).await?;
        audit::write_event(&mut *tx, self.random.as_ref(), &event).await?;
        FailPoint::BeforeCommit(Write::Token).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Token).reach();
        Ok(Some(opened))
    }

    async fn write_save(&self, flow: &ResetFlow, event: &Event) -> Result<Saved, StoreError> {
        let mut tx = self.store.begin().await?;
        // A reset of the same account that came first has unbound the challenge: no proof comes of it (SR-24).
        if let Some(subject) = flow.subject()
            && !reset::is_bound(&mut tx, flow.id(), subject).await?
        {
            return Ok(Saved::Conflict);
        }
        let saved = reset::save_flow(&mut *tx, flow).await?;
        if saved == Saved::Saved {
            audit::write_event(&mut *tx, self.random.as_ref(), event).await?;
            FailPoint::BeforeCommit(Write::Proof).reach();
            tx.commit().await?;
            FailPoint::AfterCommit(Write::Proof).reach();
        }
        Ok(saved)
    }

    async fn write_supersede(&self, sent: &SentCode<'_>) -> Result<Result<Saved, Crowded>, StoreError> {
        let mut tx = self.store.begin().await?;
        if reset::save_flow(&mut *tx, sent.flow).await? == Saved::Conflict {
            return Ok(Ok(Saved::Conflict));
        }
        // Dropping the transaction takes the flow's next version back.
        if let Err(crowded) = admit(&mut tx, sent).await? {
            return Ok(Err(crowded));
        }
        let identifier = sent.event.identifier.to_string();
        let of = CodeOf {
            subject: None,
            identifier: Some(&identifier),
            flow_id: Some(sent.flow.id().as_str()),
            client_id: sent.event.client_id.as_deref(),
        };
        for old in reset::supersede_challenges(&mut *tx, sent.flow.id(), sent.event.at).await? {
            jobs::withdraw(&mut tx, &old, of, sent.event.at).await?;
        }
        self.write_code(&mut tx, sent).await?;
        FailPoint::BeforeCommit(Write::Resend).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Resend).reach();
        self.outbox.wake();
        Ok(Ok(Saved::Saved))
    }

    async fn read(&self, id: &FlowId) -> Result<Option<(ResetFlow, Option<Challenge>)>, StoreError> {
        let Some(flow) = reset::find_flow(self.store.reader(), id).await? else {
            return Ok(None);
        };
        let challenge = match flow.challenge_id() {
            Some(id) => reset::find_challenge(self.store.reader(), id).await?,
            None => None,
        };
        Ok(Some((flow, challenge)))
    }
}

/// Whether there is room for one more code of its identifier, in the transaction that writes it: of a hundred requests at
/// once no more get one than of a hundred in turn.
async fn admit(tx: &mut Transaction, sent: &SentCode<'_>) -> Result<Result<(), Crowded>, StoreError> {
    let event = sent.event;
    let own = sent.flow.keeps_its_room(event.at).then(|| sent.flow.id());
    let live = reset::live_codes(&mut **tx, &event.identifier, own, event.at).await?;
    Ok(sent.room.admit(&live))
}

impl ResetStore for ResetRows {
    async fn begin(&self, sent: &SentCode<'_>) -> Answer<(), Crowded> {
        self.write_begin(sent)
            .await
            .map_err(|error| Failure::broken("write the flow", error))
    }

    async fn live_codes(
        &self,
        identifier: &IdentifierHash,
        now: Timestamp,
    ) -> Result<Vec<LiveCode>, Failure> {
        reset::live_codes(self.store.reader(), identifier, None, now)
            .await
            .map_err(|error| Failure::broken("count the live codes", error))
    }

    async fn open_by_token(
        &self,
        token: &SecretDigest,
        identifier: &Identifier,
        now: Timestamp,
        open: impl FnOnce(ConsumedToken) -> (OpenedByToken, Event) + Send,
    ) -> Result<Option<OpenedByToken>, Failure> {
        self.write_open_by_token(token, identifier, now, open)
            .await
            .map_err(|error| Failure::broken("open a flow by a token", error))
    }

    async fn load(&self, id: &FlowId) -> Result<Option<(ResetFlow, Option<Challenge>)>, Failure> {
        self.read(id)
            .await
            .map_err(|error| Failure::broken("load the flow", error))
    }

    async fn save(&self, flow: &ResetFlow, event: &Event) -> Result<Saved, Failure> {
        self.write_save(flow, event)
            .await
            .map_err(|error| Failure::broken("save the flow", error))
    }

    async fn supersede(&self, sent: &SentCode<'_>) -> Answer<Saved, Crowded> {
        self.write_supersede(sent)
            .await
            .map_err(|error| Failure::broken("write another code", error))
    }

    async fn count_attempt(
        &self,
        id: &ChallengeId,
        now: Timestamp,
        max: u32,
    ) -> Result<Option<CountedChallenge>, Failure> {
        FailPoint::BeforeCommit(Write::Attempt).reach();
        let counted = reset::count_attempt(self.store.writer(), id, now, max).await;
        FailPoint::AfterCommit(Write::Attempt).reach();
        counted.map_err(|error| Failure::broken("count an attempt", error))
    }

    async fn record(&self, event: &Event) -> Result<(), Failure> {
        FailPoint::BeforeCommit(Write::Record).reach();
        let written = audit::write_event(self.store.writer(), self.random.as_ref(), event).await;
        FailPoint::AfterCommit(Write::Record).reach();
        written.map_err(|error| Failure::broken("write the audit trail", error))
    }
}

impl LimitStore for ResetRows {
    async fn update<D: Send>(
        &self,
        keys: &[LimitKey],
        decide: impl FnOnce(&mut [Option<TheoreticalArrival>]) -> D + Send,
    ) -> Result<D, Failure> {
        // It is never closed, and without a place the limits would still be asked.
        let _place = self.limits_at_once.acquire().await.ok();
        self.store.update(keys, decide).await
    }
}
