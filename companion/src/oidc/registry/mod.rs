//! The apps (OAuth clients) the provider knows: those of the file, in memory, and those of the store.

mod app;
mod lately;
mod redirect_uris;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub use app::{App, WayBack};
pub(super) use app::{Authentication, SecretBy};
use keyback_core::time::Timestamp;
use lately::Lately;

use crate::config::app::{AppConfig, ResourceConfig};
use crate::secrets::digest_of;
use crate::store::apps;
use crate::store::{Store, StoreError, Transaction};

/// The apps and resources of the provider.
#[derive(Debug)]
pub(super) struct Registry {
    store: Store,
    /// A tree: there are few of them, of which one is found sooner than its hash.
    fixed: BTreeMap<String, Arc<App>>,
    fixed_origins: HashSet<String>,
    lately: Lately,
    resources: HashMap<String, ResourceConfig>,
}

/// Why the apps don't fit together.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two apps of the file, or one of the file and one of the store.
    #[error(
        "the app {0:?} is there twice, in the file or in the file and the store: rename one, or remove the \
         stored one with `keyback app remove {0}`"
    )]
    Twice(String),
}

impl Registry {
    pub(super) async fn new(
        store: &Store,
        fixed: Vec<AppConfig>,
        resources: Vec<ResourceConfig>,
    ) -> Result<Self, RegistryError> {
        let mut apps = BTreeMap::new();
        for mut config in fixed {
            let digest = config
                .client_secret
                .take()
                .map(|secret| digest_of(secret.expose()));
            let app = App::new(config, digest);
            if let Some(other) = apps.insert(app.client_id.clone(), Arc::new(app)) {
                return Err(RegistryError::Twice(other.client_id.clone()));
            }
        }
        let stored = apps::list(store.reader()).await?;
        if let Some(both) = stored
            .iter()
            .find(|stored| apps.contains_key(&stored.config.client_id))
        {
            return Err(RegistryError::Twice(both.config.client_id.clone()));
        }
        Ok(Self {
            store: store.clone(),
            fixed_origins: apps.values().flat_map(|app| app.origins()).collect(),
            fixed: apps,
            lately: Lately::default(),
            resources: resources
                .into_iter()
                .map(|one| (one.indicator.clone(), one))
                .collect(),
        })
    }

    /// Forgets all that apps held that are neither in the file nor in the store any more: a new app of the same client id
    /// inherits nothing.
    pub(super) async fn forget_gone(&self) -> Result<(), StoreError> {
        let held = apps::with_holdings(self.store.reader()).await?;
        let gone = held.iter().filter(|id| !self.fixed.contains_key(*id));
        for client_id in gone {
            let mut tx = self.store.begin().await?;
            if apps::find(&mut *tx, client_id).await?.is_none() {
                apps::forget_holdings(&mut tx, client_id).await?;
                tx.commit().await?;
                tracing::warn!(
                    client_id,
                    "an app is no longer configured: what people granted it is forgotten"
                );
            }
        }
        Ok(())
    }

    /// Finds an app: in memory, or else by its key in the store, where it may come and go at any time.
    pub(super) async fn find(&self, client_id: &str) -> Result<Option<Arc<App>>, StoreError> {
        if let Some(app) = self.of_the_file(client_id) {
            return Ok(Some(app.clone()));
        }
        // Boxed, or each request would carry the room that the look-up needs about with it.
        let stored = Box::pin(apps::find(self.store.reader(), client_id)).await?;
        Ok(stored.map(|stored| Arc::new(stored.into())))
    }

    /// [`Self::find`] for who begins a sign-in: the app is [`Self::at_hand`] for those that come next.
    pub(super) async fn find_to_begin(
        &self,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<App>>, StoreError> {
        let found = self.find(client_id).await?;
        if !self.fixed.contains_key(client_id) {
            self.lately.note(client_id, found.as_ref(), now);
        }
        Ok(found)
    }

    /// An app that nothing has to be waited for: of the file, which is there as long as we are, or of the store and found
    /// within the last second. That does to begin a sign-in; who ends one finds the app anew.
    pub(super) fn at_hand(&self, client_id: &str, now: Timestamp) -> Option<Arc<App>> {
        self.of_the_file(client_id)
            .cloned()
            .or_else(|| self.lately.get(client_id, now))
    }

    fn of_the_file(&self, client_id: &str) -> Option<&Arc<App>> {
        self.fixed.get(client_id)
    }

    /// [`Self::find`] in the transaction that asks: an app that has gone must get nothing that a new app of its client id could
    /// inherit.
    pub(super) async fn find_within(
        &self,
        tx: &mut Transaction,
        client_id: &str,
    ) -> Result<Option<Arc<App>>, StoreError> {
        if let Some(app) = self.of_the_file(client_id) {
            return Ok(Some(Arc::clone(app)));
        }
        let stored = Box::pin(apps::find(&mut **tx, client_id)).await?;
        Ok(stored.map(|stored| Arc::new(stored.into())))
    }

    /// All apps, those of the file first.
    pub(super) async fn all(&self) -> Result<Vec<Arc<App>>, StoreError> {
        let mut all: Vec<_> = self.fixed.values().cloned().collect();
        let stored = apps::list(self.store.reader()).await?;
        all.extend(stored.into_iter().map(|stored| Arc::new(stored.into())));
        Ok(all)
    }

    pub(super) fn resource(&self, indicator: &str) -> Option<&ResourceConfig> {
        self.resources.get(indicator)
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = &ResourceConfig> {
        self.resources.values()
    }

    /// Whether an origin belongs to a redirect URI of an app.
    pub(super) async fn knows_origin(&self, origin: &str) -> Result<bool, StoreError> {
        if self.fixed_origins.contains(origin) {
            return Ok(true);
        }
        let stored = apps::list(self.store.reader()).await?;
        Ok(stored
            .into_iter()
            .any(|stored| App::from(stored).has_origin(origin)))
    }
}
