//! How jobs are written into the outbox and read again: sealed, and bound to their job.

use std::sync::Arc;
use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::ids::JobId;
use keyback_core::ports::CodeJob;
use keyback_core::random::Random;
use keyback_core::rate_limit::IdentifierHasher;
use keyback_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteExecutor;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::breakers::Circuit;
use crate::config::Problems;
pub use crate::jobs::payloads::{
    AddressChanged, ChangedBy, CodePurpose, JobKind, LogoutNotice, PasswordChanged, SendCode, WebhookDelivery,
};
use crate::secrets::{Purpose, RootKeys, Sealer, random_id};
use crate::store::StoreError;
use crate::store::jobs::{self, Job, Lane, NewJob};

/// How long a notice, of a password, of a session's end or to a webhook, is tried before it is given up.
const NOTICE_LIFE: Duration = Duration::from_secs(3 * 86_400);

/// What jobs are sealed and sorted with.
#[derive(Clone)]
struct Keys {
    sealer: Sealer,
    hasher: IdentifierHasher,
}

impl Keys {
    fn of(root_keys: &RootKeys) -> Self {
        Self {
            sealer: root_keys.sealer(Purpose::Jobs),
            hasher: root_keys.identifier_hasher(),
        }
    }
}

/// Writes jobs and wakes the worker. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    /// At the command line there may be none: most of what is done there writes no job.
    keys: Result<Keys, Arc<Problems>>,
    random: Arc<dyn Random>,
    wake: Arc<Notify>,
}

impl Outbox {
    pub fn new(root_keys: &RootKeys, random: Arc<dyn Random>) -> Self {
        let (keys, wake) = (Ok(Keys::of(root_keys)), Arc::default());
        Self { keys, random, wake }
    }

    /// For the command line, where a missing root key is a problem only once there is a job to write: what was wrong with the
    /// keys is told then.
    pub(crate) fn once_needed(keys: Result<RootKeys, Problems>, random: Arc<dyn Random>) -> Self {
        let keys = keys.map(|keys| Keys::of(&keys)).map_err(Arc::new);
        let wake = Arc::default();
        Self { keys, random, wake }
    }

    fn keys(&self) -> Result<&Keys, StoreError> {
        let keys = self.keys.as_ref();
        keys.map_err(|problems| StoreError::NoRootKey(Arc::clone(problems)))
    }

    /// Writes the job that sends a code, and with it a link. Call [`Self::wake`] once the transaction is committed.
    pub async fn send_code(
        &self,
        db: impl SqliteExecutor<'_>,
        job: &CodeJob,
        link: Option<Zeroizing<String>>,
    ) -> Result<(), StoreError> {
        let payload = SendCode {
            challenge_id: job.challenge_id.as_str().to_owned(),
            identifier: job.identifier.clone(),
            code: Zeroizing::new(job.code.reveal().to_owned()),
            client_id: job.client_id.clone(),
            expires_at: job.expires_at,
            link,
            purpose: CodePurpose::Reset,
        };
        self.send_ordered(db, &job.id, &payload, job.created_at, job.run_at)
            .await
    }

    /// Writes the job that sends a code of whatever purpose, at `run_at`. It belongs to the code's challenge.
    pub async fn send_ordered(
        &self,
        db: impl SqliteExecutor<'_>,
        id: &JobId,
        order: &SendCode,
        now: Timestamp,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        let new = NewJob {
            id: id.as_str(),
            kind: JobKind::SendCode.as_str(),
            lane: lane_to(&order.identifier),
            reference: Some(&order.challenge_id),
            target: Some(&self.target_of(&order.identifier)?),
            payload: &self.seal(id.as_str(), order)?,
            created_at: now,
            expires_at: order.expires_at,
        };
        jobs::add_for(db, &new, run_at).await
    }

    /// Writes the job that tells an address of a changed password.
    pub async fn password_changed(
        &self,
        db: impl SqliteExecutor<'_>,
        notice: &PasswordChanged,
    ) -> Result<(), StoreError> {
        self.notice(
            db,
            JobKind::PasswordChanged,
            &notice.to,
            notice,
            notice.changed_at,
        )
        .await
    }

    /// Writes the job that tells an address of a changed address.
    pub async fn address_changed(
        &self,
        db: impl SqliteExecutor<'_>,
        notice: &AddressChanged,
    ) -> Result<(), StoreError> {
        self.notice(db, JobKind::AddressChanged, &notice.to, notice, notice.changed_at)
            .await
    }

    async fn notice(
        &self,
        db: impl SqliteExecutor<'_>,
        kind: JobKind,
        to: &Identifier,
        payload: &(impl Serialize + Sync),
        created_at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = random_id(self.random.as_ref());
        self.add(
            db,
            &NewJob {
                id: &id,
                kind: kind.as_str(),
                lane: lane_to(to),
                reference: None,
                target: Some(&self.target_of(to)?),
                payload: &self.seal(&id, payload)?,
                created_at,
                expires_at: created_at + NOTICE_LIFE,
            },
        )
        .await
    }

    /// Writes the job that tells an app of a session's end.
    pub async fn tell_logout(
        &self,
        db: impl SqliteExecutor<'_>,
        notice: &LogoutNotice,
    ) -> Result<(), StoreError> {
        let id = random_id(self.random.as_ref());
        let target = Circuit::App(notice.client_id.clone()).to_string();
        self.add(
            db,
            &NewJob {
                id: &id,
                kind: JobKind::Logout.as_str(),
                lane: Lane::Calls,
                reference: None,
                target: Some(&target),
                payload: &self.seal(&id, notice)?,
                created_at: notice.ended_at,
                expires_at: notice.ended_at + NOTICE_LIFE,
            },
        )
        .await
    }

    /// Writes the job that tells a webhook of an event. It waits for the earlier ones of the same account and webhook.
    pub async fn webhook(
        &self,
        db: impl SqliteExecutor<'_>,
        delivery: &WebhookDelivery,
    ) -> Result<(), StoreError> {
        let id = random_id(self.random.as_ref());
        let target = Circuit::Webhook(delivery.hook_id.clone()).to_string();
        let of_account = format!("{target}:{}", delivery.user_id);
        self.add(
            db,
            &NewJob {
                id: &id,
                kind: JobKind::Webhook.as_str(),
                lane: Lane::Calls,
                reference: Some(&of_account),
                target: Some(&target),
                payload: &self.seal(&id, delivery)?,
                created_at: delivery.created_at,
                expires_at: delivery.created_at + NOTICE_LIFE,
            },
        )
        .await
    }

    /// Opens the payload of a job.
    pub fn open<T: DeserializeOwned>(&self, job: &Job) -> Result<T, StoreError> {
        let corrupt = |reason: String| StoreError::Corrupt {
            table: "jobs",
            reason,
        };
        let plain = self
            .keys()?
            .sealer
            .open_text(job.id.as_bytes(), &job.payload)
            .map_err(|error| corrupt(error.to_string()))?;
        serde_json::from_slice(&plain).map_err(|error| corrupt(error.to_string()))
    }

    /// Tells the worker that there is something to do.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there is something to do.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    async fn add(&self, db: impl SqliteExecutor<'_>, job: &NewJob<'_>) -> Result<(), StoreError> {
        jobs::add(db, job).await
    }

    /// Who could hold up the messages to an address: as a keyed hash, since what rests beside it is sealed.
    fn target_of(&self, to: &Identifier) -> Result<String, StoreError> {
        Ok(self.keys()?.hasher.hash_owner(to).to_string())
    }

    fn seal(&self, id: &str, payload: &impl Serialize) -> Result<String, StoreError> {
        let plain = serde_json::to_vec(payload)
            .map(Zeroizing::new)
            .map_err(|error| StoreError::Corrupt {
                table: "jobs",
                reason: error.to_string(),
            })?;
        Ok(self
            .keys()?
            .sealer
            .seal_text(self.random.as_ref(), id.as_bytes(), &plain))
    }
}

fn lane_to(address: &Identifier) -> Lane {
    match address {
        Identifier::Email(_) => Lane::Email,
        Identifier::Phone(_) => Lane::Sms,
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox(..)")
    }
}

#[cfg(test)]
mod tests {
    use keyback_core::testing::SeededRandom;

    use super::*;
    use crate::secrets::RootKey;
    use crate::store::Store;
    use crate::store::jobs::Free;

    /// SR-59: a notice that was queued before there were links outlives the upgrade.
    #[tokio::test]
    async fn sr59_a_notice_of_the_form_without_a_link_can_be_opened() {
        let random = Arc::new(SeededRandom::new(59));
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let root_keys = RootKeys::new(vec![RootKey::generate(random.as_ref())]).unwrap();
        let outbox = Outbox::new(&root_keys, random);
        let at = Timestamp::from_millis(1_000);
        let ada = Identifier::parse("ada@example.com").unwrap();
        let old = serde_json::json!({
            "to": serde_json::to_value(&ada).unwrap(),
            "user_id": "ada", "client_id": null, "changed_at": at, "by": "reset", "sessions_ended": 2,
        });
        outbox
            .notice(store.writer(), JobKind::PasswordChanged, &ada, &old, at)
            .await
            .unwrap();
        let free = Free {
            email: 1,
            sms: 1,
            calls: 1,
        };
        let jobs = jobs::take(store.writer(), at, Duration::from_secs(1), free, &[])
            .await
            .unwrap();
        let notice: PasswordChanged = outbox.open(&jobs[0]).unwrap();
        assert_eq!((notice.sessions_ended, notice.freeze_token), (2, None));
    }
}
