//! The embedded backend: accounts in Keyback's own store, and everything a reset does in one transaction.

use std::sync::Arc;

use keyback_core::event::{Event, EventKind};
use keyback_core::ids::Subject;
use keyback_core::password::{AcceptedPassword, NewPassword, UserFacts};
use keyback_core::ports::{CompleteOutcome, Completion, Failure, IdentityBackend, Saved};
use keyback_core::random::Random;
use keyback_core::rate_limit::IdentifierHasher;
use keyback_core::reset::Receipt;
use keyback_core::time::Timestamp;

use crate::config::webhook::WebhookEvent;
use crate::fail_point::{FailPoint, Write};
use crate::hashing::{HashPool, Lane, Unavailable, Verdict};
use crate::logout::{CutOffAndTold, Endings};
use crate::notices::{Notices, PasswordChange};
use crate::outbox::ChangedBy;
use crate::store::account_status::AccountStatus;
use crate::store::former_addresses::Resettable;
use crate::store::users::User;
use crate::store::{
    Store, StoreError, Transaction, audit, awaited_sign_ins, credentials, former_addresses, reset, users,
};
use crate::webhooks::{AccountChange, ApiCall, Cause, Webhooks};

/// The call that sets a password.
const SET_PASSWORD: ApiCall = ApiCall {
    method: "PATCH",
    route: "/users/:userId/password",
    status: 200,
    event: WebhookEvent::UserDataUpdated,
};

/// Accounts in Keyback's own store. Cheap to clone.
#[derive(Clone)]
pub struct EmbeddedBackend {
    pub(super) store: Store,
    hashing: HashPool,
    pub(super) notices: Notices,
    pub(super) endings: Endings,
    webhooks: Webhooks,
    pub(super) random: Arc<dyn Random>,
    identifiers: IdentifierHasher,
}

/// A change of the password.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub user: &'a User,
    pub client_ip: &'a str,
    pub user_agent: Option<&'a str>,
    pub by: Changer<'a>,
    pub now: Timestamp,
}

/// Who changes a password.
#[derive(Clone, Copy, Debug)]
pub enum Changer<'a> {
    /// Its person, who is signed in and knows the current one.
    Person,
    /// A machine app, over the Management API.
    App { client_id: &'a str },
}

impl EmbeddedBackend {
    pub fn new(
        store: Store,
        hashing: HashPool,
        notices: Notices,
        endings: Endings,
        webhooks: Webhooks,
        random: Arc<dyn Random>,
        identifiers: IdentifierHasher,
    ) -> Self {
        Self {
            store,
            hashing,
            notices,
            endings,
            webhooks,
            random,
            identifiers,
        }
    }

    /// Sets a password that was chosen for an account, ends all sessions and tokens, and kills what else could
    /// reset the account. The caller commits, and may begin a new session in the same transaction before.
    pub async fn change_password(
        &self,
        tx: &mut Transaction,
        change: &Change<'_>,
        phc: &str,
    ) -> Result<Receipt, StoreError> {
        let receipt = self.set_password(tx, change.user, phc, None, change.now).await?;
        let (event, actor, client_id, cause) = match change.by {
            Changer::Person => (
                "password_changed",
                audit::Actor::User,
                None,
                Cause::PasswordChange,
            ),
            Changer::App { client_id } => (
                "password_set_by_app",
                audit::Actor::App,
                Some(client_id),
                Cause::Api(SET_PASSWORD),
            ),
        };
        let line = audit::Line {
            at: change.now,
            event,
            actor,
            subject: Some(&change.user.id),
            identifier: None,
            client_id,
            client_ip: Some(change.client_ip),
        };
        audit::write(&mut **tx, self.random.as_ref(), &line).await?;
        let noticed = PasswordChange {
            client_id: None,
            by: ChangedBy::Change,
            sessions_ended: receipt.sessions_ended,
        };
        self.notices
            .password_changed(tx, change.user, noticed, change.now)
            .await?;
        let told = AccountChange {
            user: change.user,
            client_ip: Some(change.client_ip),
            user_agent: change.user_agent,
            by: cause,
            now: change.now,
        };
        self.tell_webhooks(tx, told).await?;
        Ok(receipt)
    }

    pub(super) fn hashing(&self) -> &HashPool {
        &self.hashing
    }

    /// Hashes an accepted password, outside of any transaction: it takes long.
    pub async fn hash(&self, lane: Lane, password: &AcceptedPassword) -> Result<String, Unavailable> {
        self.hashing.hash(lane, password.expose()).await
    }

    async fn write_completion(
        &self,
        completion: Completion,
        phc: &str,
    ) -> Result<CompleteOutcome, StoreError> {
        let Completion {
            reset: proven,
            visitor,
            now,
            ..
        } = completion;
        let flow_id = proven.flow().id().clone();
        let client_id = proven.flow().client_id().map(str::to_owned);
        let identifier = proven.flow().identifier().clone();
        let subject = proven.subject().clone();
        let mut tx = self.store.begin().await?;
        let found = former_addresses::find_resettable(&mut *tx, &identifier, now).await?;
        let Some(Resettable { mut user, over }) = found.filter(|found| found.user.id == subject.as_str())
        else {
            return Ok(CompleteOutcome::AccountUnavailable);
        };
        let receipt = self
            .set_password(&mut tx, &user, phc, Some(&flow_id), now)
            .await?;
        let flow = proven.complete(receipt, now);
        // Dropping the transaction takes all of it back: somebody else completed or closed this flow.
        if reset::save_flow(&mut *tx, &flow).await? == Saved::Conflict {
            return Ok(CompleteOutcome::Conflict);
        }
        awaited_sign_ins::begin(&mut *tx, &user.id).await?;
        users::mark_verified(&mut *tx, &user.id, &identifier, now).await?;
        if user.status == AccountStatus::Frozen {
            let Some(thawed) = self.thaw(&mut tx, &user.id, (&identifier, over), now).await? else {
                return Ok(CompleteOutcome::AccountUnavailable);
            };
            user = thawed;
        }
        let change = AccountChange {
            user: &user,
            client_ip: Some(&visitor.address.to_string()),
            user_agent: visitor.user_agent.as_deref(),
            by: Cause::Reset {
                flow_id: flow_id.as_str(),
                client_id: client_id.as_deref(),
            },
            now,
        };
        self.tell_webhooks(&mut tx, change).await?;
        let event = Event {
            at: now,
            visitor,
            flow_id,
            client_id: client_id.clone(),
            identifier: self.identifiers.hash(&identifier),
            kind: EventKind::ResetCompleted { subject, receipt },
        };
        audit::write_event(&mut *tx, self.random.as_ref(), &event).await?;
        let noticed = PasswordChange {
            client_id: client_id.as_deref(),
            by: ChangedBy::Reset,
            sessions_ended: receipt.sessions_ended,
        };
        self.notices
            .password_changed(&mut tx, &user, noticed, now)
            .await?;
        FailPoint::BeforeCommit(Write::Complete).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Complete).reach();
        self.notices.wake();
        Ok(CompleteOutcome::Completed(receipt))
    }

    /// The password, and all that ends with the old one.
    async fn set_password(
        &self,
        tx: &mut Transaction,
        user: &User,
        phc: &str,
        flow: Option<&keyback_core::ids::FlowId>,
        now: Timestamp,
    ) -> Result<Receipt, StoreError> {
        credentials::save_password_hash(&mut **tx, &user.id, phc, now).await?;
        let CutOffAndTold { cut_off, apps_told } = self.endings.cut_off(tx, &user.id, flow, now).await?;
        Ok(Receipt {
            sessions_ended: u32::try_from(cut_off.sessions_ended).unwrap_or(u32::MAX),
            grants_revoked: u32::try_from(cut_off.revoked.apps.len()).unwrap_or(u32::MAX),
            apps_told: u32::try_from(apps_told).unwrap_or(u32::MAX),
        })
    }

    /// Queues what webhooks are told, of the account as it is now.
    pub(super) async fn tell_webhooks(
        &self,
        tx: &mut Transaction,
        change: AccountChange<'_>,
    ) -> Result<(), StoreError> {
        match users::find(&mut **tx, &change.user.id).await? {
            Some(user) => {
                self.webhooks
                    .account_changed(
                        tx,
                        AccountChange {
                            user: &user,
                            ..change
                        },
                    )
                    .await
            }
            None => Ok(()),
        }
    }
}

impl IdentityBackend for EmbeddedBackend {
    async fn policy_facts(&self, subject: &Subject) -> Result<Option<UserFacts>, Failure> {
        let user = users::find(self.store.reader(), subject.as_str())
            .await
            .map_err(|error| Failure::broken("find the account", error))?;
        Ok(user
            .filter(|user| user.status.may_reset())
            .map(|user| facts(&user)))
    }

    async fn has_password(&self, subject: &Subject, password: &NewPassword) -> Result<bool, Failure> {
        let stored = credentials::find_password_hash(self.store.reader(), subject.as_str())
            .await
            .map_err(|error| Failure::broken("find the password there is", error))?;
        let verified = self
            .hashing
            .verify(Lane::Reset, password.expose(), stored.as_deref());
        match verified.await {
            Ok(verdict) => Ok(verdict != Verdict::Wrong),
            Err(Unavailable::Busy { retry_after, .. }) => {
                Err(Failure::busy("compare the password", retry_after))
            }
            // Whoever can't sign in for that reason gets out of it by this very reset.
            Err(error @ Unavailable::Failed(_)) => {
                tracing::warn!(user = subject.as_str(), %error, "a new password is not compared with the old one");
                Ok(false)
            }
        }
    }

    async fn complete(&self, completion: Completion) -> Result<CompleteOutcome, Failure> {
        let phc = self
            .hash(Lane::Reset, &completion.password)
            .await
            .map_err(|error| match error {
                Unavailable::Busy { retry_after, .. } => Failure::busy("hash the password", retry_after),
                error @ Unavailable::Failed(_) => Failure::broken("hash the password", error),
            })?;
        self.write_completion(completion, &phc)
            .await
            .map_err(|error| Failure::broken("complete the reset", error))
    }
}

/// What the policy must know of a person.
pub fn facts(user: &User) -> UserFacts {
    UserFacts {
        name: user.name.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        phone: user.phone.clone(),
    }
}
