//! Describing a site.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::used::Used;
use super::{Asking, Explaining, Inner, Listener, Site, Spawning, Work};
use crate::client::Client;
use crate::error::Error;
use crate::logto::webhook::{Delivery, DeliveryStore, MemoryDeliveries, WebhookReceiver};
use crate::sessions::{LogoutRegistry, Sessions, TokenStore};
use crate::sign_in::{CookieSealer, SignInBuilder};

/// As long as providers keep a session that nobody uses.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Where the routes of a [`Site`] are. That of the callback is the path of the client's redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `/sign-in`.
    pub sign_in: String,
    /// `/forgot-password`.
    pub forgot_password: String,
    /// `/sign-out`.
    pub sign_out: String,
    /// Where the provider sends the browser after a sign-out; its whole address has to be registered there. `/`.
    pub signed_out: String,
    /// `/backchannel-logout`; its whole address may be registered as `backchannel_logout_uri`.
    pub back_channel_logout: String,
    /// `/webhooks`.
    pub webhooks: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            sign_in: "/sign-in".to_owned(),
            forgot_password: "/forgot-password".to_owned(),
            sign_out: "/sign-out".to_owned(),
            signed_out: "/".to_owned(),
            back_channel_logout: "/backchannel-logout".to_owned(),
            webhooks: "/webhooks".to_owned(),
        }
    }
}

/// Describes a [`Site`].
#[must_use = "nothing happens before `build`"]
pub struct SiteBuilder {
    client: Client,
    secret: Zeroizing<Vec<u8>>,
    earlier: Vec<Zeroizing<Vec<u8>>>,
    store: Option<Arc<dyn TokenStore>>,
    logouts: Option<Arc<dyn LogoutRegistry>>,
    lifetime: Duration,
    paths: Paths,
    asking: Option<Box<Asking>>,
    webhooks: Option<WebhookReceiver>,
    deliveries: Arc<dyn DeliveryStore>,
    on_webhook: Option<Box<Listener>>,
    explaining: Option<Box<Explaining>>,
    spawning: Option<Box<Spawning>>,
}

impl SiteBuilder {
    pub(super) fn new(client: Client, secret: &[u8]) -> Self {
        Self {
            client,
            secret: Zeroizing::new(secret.to_vec()),
            earlier: Vec::new(),
            store: None,
            logouts: None,
            lifetime: LIFETIME,
            paths: Paths::default(),
            asking: None,
            webhooks: None,
            deliveries: Arc::new(MemoryDeliveries::new()),
            on_webhook: None,
            explaining: None,
            spawning: None,
        }
    }

    /// Also opens what an earlier secret has sealed, so that nobody is signed out when it is changed.
    pub fn and_opens(mut self, earlier: impl AsRef<[u8]>) -> Self {
        self.earlier.push(Zeroizing::new(earlier.as_ref().to_vec()));
        self
    }

    /// Keeps sessions in this store, and only their ids in cookies. By default they are in the browser's cookies as a
    /// whole.
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Who remembers sessions that ended before their time; replicas have to share one.
    /// [`MemoryLogouts`](crate::MemoryLogouts) by default, which a restart empties: sessions that had ended are then open
    /// again. [`FileLogouts`](crate::FileLogouts) last.
    pub fn logout_registry(mut self, registry: Arc<dyn LogoutRegistry>) -> Self {
        self.logouts = Some(registry);
        self
    }

    /// How long a session lasts at most. Two weeks by default.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Where the routes are.
    pub fn paths(mut self, paths: Paths) -> Self {
        self.paths = paths;
        self
    }

    /// Where the provider sends the browser after a sign-out: [`Paths::signed_out`] alone.
    pub fn signed_out(mut self, path: impl Into<String>) -> Self {
        self.paths.signed_out = path.into();
        self
    }

    /// What every sign-in asks for, such as `|request| request.ui_locales(["fr"])`. Scopes and APIs may be the
    /// client's as well.
    pub fn sign_ins(mut self, ask: impl Fn(SignInBuilder) -> SignInBuilder + Send + Sync + 'static) -> Self {
        self.asking = Some(Box::new(ask));
        self
    }

    /// Receives webhooks. After a `PostResetPassword`, the sessions of that person that began before it end.
    pub fn webhooks(mut self, receiver: WebhookReceiver) -> Self {
        self.webhooks = Some(receiver);
        self
    }

    /// Who remembers the webhooks that were handled, so that each is handled once; replicas should share one.
    /// [`MemoryDeliveries`] by default.
    pub fn webhook_store(mut self, store: Arc<dyn DeliveryStore>) -> Self {
        self.deliveries = store;
        self
    }

    /// Also tells of every webhook that was verified, once however often it comes.
    pub fn on_webhook(mut self, listener: impl Fn(&Delivery) + Send + Sync + 'static) -> Self {
        self.on_webhook = Some(Box::new(listener));
        self
    }

    /// The page for a sign-in that failed; by default a plain one. [`Error::remedy`] says what to tell the visitor, and the
    /// log has the error already.
    pub fn on_error(
        mut self,
        explain: impl Fn(&Error) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.explaining = Some(Box::new(explain));
        self
    }

    /// Starts what nobody should wait for: the revocation of a refresh token. By default a task of tokio; where it does not
    /// run, the sign-out waits for it.
    pub fn spawner(
        mut self,
        spawn: impl Fn(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.spawning = Some(Box::new(move |work: Work| spawn(work)));
        self
    }

    /// Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`CookieError::ShortKey`](crate::CookieError::ShortKey) for a secret of less than 32 bytes.
    pub fn build(self) -> Result<Site, Error> {
        let mut sealer = CookieSealer::new(&self.secret)?;
        let mut sessions = Sessions::builder(&self.client, &self.secret).lifetime(self.lifetime);
        for earlier in &self.earlier {
            sealer = sealer.and_opens(earlier)?;
            sessions = sessions.and_opens(earlier);
        }
        let in_cookies = self.store.is_none();
        if let Some(store) = self.store {
            sessions = sessions.store(store);
        }
        match self.logouts {
            Some(logouts) => sessions = sessions.logout_registry(logouts),
            None => tracing::warn!(
                "sessions that have ended are remembered in memory: after a restart they are open again; \
                 give the site a logout registry that lasts"
            ),
        }
        Ok(Site {
            inner: Arc::new(Inner {
                client: self.client,
                sealer,
                sessions: sessions.build()?,
                in_cookies,
                lifetime: self.lifetime,
                paths: self.paths,
                asking: self.asking,
                webhooks: self.webhooks,
                on_webhook: self.on_webhook,
                explaining: self.explaining,
                spawning: self.spawning,
                used: Used::new(),
                deliveries: self.deliveries,
            }),
        })
    }
}
