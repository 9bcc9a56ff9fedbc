//! Webhooks: who is told of what happens to accounts, in Logto's words.
//!
//! A delivery is a job of the transaction that changed the account, so that none is lost or invented by a crash
//! (SR-53). The worker delivers it at least once, signs each try anew, and keeps the order of one account (SR-60).

mod body;
mod deliver;

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use keyback_core::time::Timestamp;
use url::Url;

use crate::config::app::{AppConfig, AppKind};
use crate::config::webhook::{WebhookConfig, WebhookEvent};
use crate::outbox::{Outbox, WebhookDelivery};
use crate::outgoing::Targets;
use crate::outgoing::signature::SigningKey;
use crate::store::users::User;
use crate::store::{StoreError, Transaction, apps, users};

pub(crate) use deliver::deliver;

/// As long as the ids that Logto gives its hooks.
const ID_LENGTH: usize = 21;

/// The webhooks of the configuration. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    outbox: Outbox,
    hooks: Arc<[Webhook]>,
    /// The apps of the file. Those of the store are in their rows.
    apps: Arc<HashMap<String, (AppKind, Option<String>)>>,
}

/// One webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// Follows from the URL, so that it outlives restarts: `hookId` of the bodies.
    id: String,
    url: Url,
    /// What of the URL may be told to the operator.
    target: String,
    events: Vec<WebhookEvent>,
    keys: Vec<SigningKey>,
    targets: Targets,
}

/// A change of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountChange<'a> {
    pub(crate) user: &'a User,
    /// The address of who changed it, but for the command line's.
    pub(crate) client_ip: Option<&'a str>,
    /// What the browser says it is, where that is known.
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) by: Cause<'a>,
    pub(crate) now: Timestamp,
}

/// What changed an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'a> {
    /// A reset, which began at this app.
    Reset {
        flow_id: &'a str,
        client_id: Option<&'a str>,
    },
    /// A new password on the account page, with the current one.
    PasswordChange,
    /// Its owner, who contests a change (SR-59).
    Freeze,
    /// A call of the Management API.
    Api(ApiCall),
    /// The operator, at the command line.
    CommandLine(WebhookEvent),
}

/// A call of the Management API that changed an account, as Logto tells of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiCall {
    pub(crate) method: &'static str,
    /// The path below `/api`, with `:userId` where the account's id stands.
    pub(crate) route: &'static str,
    /// The status of its answer. Nothing is told of a call that failed.
    pub(crate) status: u16,
    pub(crate) event: WebhookEvent,
}

impl Webhooks {
    /// `apps` are those of the file and the built-in one.
    pub fn new(outbox: Outbox, config: &[WebhookConfig], apps: &[AppConfig]) -> Self {
        let named = |app: &AppConfig| (app.client_id.clone(), (app.kind, app.name.clone()));
        Self {
            outbox,
            hooks: config
                .iter()
                .enumerate()
                .map(|(index, hook)| Webhook::new(hook, index))
                .collect(),
            apps: Arc::new(apps.iter().map(named).collect()),
        }
    }

    /// Writes the deliveries that follow from a change, one for each event and webhook. Wake the
    /// outbox once the transaction is committed.
    pub(crate) async fn account_changed(
        &self,
        tx: &mut Transaction,
        change: AccountChange<'_>,
    ) -> Result<(), StoreError> {
        if self.hooks.is_empty() {
            return Ok(());
        }
        let facts = body::Facts {
            change,
            last_sign_in_at: users::last_sign_in_at(&mut **tx, &change.user.id).await?,
            application: self.application(tx, change.by).await?,
        };
        let events = match change.by {
            Cause::Reset { .. } => vec![WebhookEvent::PostResetPassword, WebhookEvent::UserDataUpdated],
            Cause::PasswordChange | Cause::Freeze => vec![WebhookEvent::UserDataUpdated],
            Cause::Api(ApiCall { event, .. }) | Cause::CommandLine(event) => vec![event],
        };
        for hook in self.hooks.iter() {
            for event in events.iter().filter(|event| hook.events.contains(event)) {
                let delivery = WebhookDelivery {
                    hook_id: hook.id.clone(),
                    user_id: change.user.id.clone(),
                    event: event.as_str().to_owned(),
                    body: facts.body(*event, &hook.id).to_string(),
                    created_at: change.now,
                };
                self.outbox.webhook(&mut **tx, &delivery).await?;
            }
        }
        Ok(())
    }

    fn find(&self, id: &str) -> Option<&Webhook> {
        self.hooks.iter().find(|hook| hook.id == id)
    }

    async fn application(
        &self,
        tx: &mut Transaction,
        by: Cause<'_>,
    ) -> Result<Option<body::Application>, StoreError> {
        let Cause::Reset {
            client_id: Some(client_id),
            ..
        } = by
        else {
            return Ok(None);
        };
        let found = match self.apps.get(client_id) {
            Some(app) => Some(app.clone()),
            None => apps::find(&mut **tx, client_id)
                .await?
                .map(|app| (app.config.kind, app.config.name)),
        };
        Ok(found.map(|(kind, name)| body::Application::new(client_id, kind, name)))
    }
}

impl Webhook {
    fn new(config: &WebhookConfig, index: usize) -> Self {
        let mut id = hex::encode(digest(&SHA256, config.url.as_str().as_bytes()));
        id.truncate(ID_LENGTH);
        let keys = config.signing_key.iter();
        Self {
            id,
            url: config.url.clone(),
            target: config.target(index),
            events: config.events.clone(),
            keys: keys.map(|key| SigningKey::new(key.expose().as_bytes())).collect(),
            targets: if config.allow_private {
                Targets::Any
            } else {
                Targets::Public
            },
        }
    }
}
