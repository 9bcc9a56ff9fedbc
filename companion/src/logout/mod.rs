//! Ends of sessions, and telling the apps (OIDC Back-Channel Logout 1.0): whatever ends a session ends it here, so
//! that no app that took part in it is forgotten. The jobs are written in the transaction of the end.

mod deliver;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use keyback_core::ids::FlowId;
use keyback_core::time::Timestamp;

use crate::config::app::AppConfig;
use crate::outbox::{LogoutNotice, Outbox};
use crate::store::cut_off::{self, CutOff};
use crate::store::grants::{self, OfflineGrants, RevokedApp, RevokedApps};
use crate::store::{StoreError, Transaction, apps, consents, sessions};

pub(crate) use deliver::{LogoutError, deliver};

/// Ends sessions, and writes for each app that took part and has a `backchannel_logout_uri` the job that tells it.
/// Cheap to clone. Call [`Self::wake`] once the transaction is committed.
#[derive(Clone, Debug)]
pub struct Endings {
    outbox: Outbox,
    /// The apps of the file that are told. Those of the store say so in their rows.
    of_file: Arc<HashSet<String>>,
}

/// What an account had open, and how many apps are told that it has not any more.
#[derive(Clone, Debug)]
pub struct CutOffAndTold {
    pub cut_off: CutOff,
    pub apps_told: usize,
}

impl Endings {
    /// `apps` are those of the file.
    pub fn new(outbox: Outbox, apps: &[AppConfig]) -> Self {
        let told = apps.iter().filter(|app| app.backchannel_logout_uri.is_some());
        Self {
            outbox,
            of_file: Arc::new(told.map(|app| app.client_id.clone()).collect()),
        }
    }

    /// Ends one browser session and what it gave. Offline grants live on, and their apps are told like all others:
    /// they end their own session and keep their refresh tokens (Back-Channel Logout 2.7).
    pub async fn end_session(
        &self,
        tx: &mut Transaction,
        id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end(tx, id, OfflineGrants::Keep, now).await
    }

    /// Throws a device out: ends its browser session and all that it gave, offline grants too. Whoever holds the device
    /// may be somebody else.
    pub async fn evict_session(
        &self,
        tx: &mut Transaction,
        id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end(tx, id, OfflineGrants::End, now).await
    }

    async fn end(
        &self,
        tx: &mut Transaction,
        id: &str,
        offline: OfflineGrants,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sessions::end(&mut **tx, id).await?;
        let revoked = grants::revoke_session(tx, id, offline).await?;
        self.tell(tx, &revoked, now).await?;
        Ok(())
    }

    /// Signs an account out everywhere: see [`cut_off::cut_off`].
    pub async fn cut_off(
        &self,
        tx: &mut Transaction,
        user_id: &str,
        keep: Option<&FlowId>,
        now: Timestamp,
    ) -> Result<CutOffAndTold, StoreError> {
        let cut_off = cut_off::cut_off(tx, user_id, keep, now).await?;
        let apps_told = self.tell(tx, &cut_off.revoked, now).await?;
        Ok(CutOffAndTold { cut_off, apps_told })
    }

    /// Withdraws what a person allowed an app, and ends all that it holds for them: see [`consents::withdraw`].
    /// Answers whether it had anything.
    pub async fn withdraw(
        &self,
        tx: &mut Transaction,
        user_id: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let withdrawn = consents::withdraw(tx, user_id, client_id, now).await?;
        self.tell(tx, &withdrawn.revoked, now).await?;
        Ok(withdrawn.is_something())
    }

    /// Tells the worker that there may be apps to tell.
    pub fn wake(&self) {
        self.outbox.wake();
    }

    /// Writes a job for each app and session. Answers how many apps that are.
    async fn tell(
        &self,
        tx: &mut Transaction,
        revoked: &RevokedApps,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut told = BTreeSet::new();
        for RevokedApp {
            client_id,
            session_id,
            user_id,
        } in &revoked.apps
        {
            if !told.contains(client_id.as_str()) && !self.is_told(tx, client_id).await? {
                continue;
            }
            told.insert(client_id.as_str());
            let notice = LogoutNotice {
                client_id: client_id.clone(),
                user_id: user_id.clone(),
                session_id: session_id.clone(),
                ended_at: now,
            };
            self.outbox.tell_logout(&mut **tx, &notice).await?;
        }
        Ok(told.len())
    }

    async fn is_told(&self, tx: &mut Transaction, client_id: &str) -> Result<bool, StoreError> {
        if self.of_file.contains(client_id) {
            return Ok(true);
        }
        let stored = apps::find(&mut **tx, client_id).await?;
        Ok(stored.is_some_and(|app| app.config.backchannel_logout_uri.is_some()))
    }
}
