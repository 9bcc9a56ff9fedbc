//! The apps (OAuth clients) the provider knows: those of the file, in memory, and those of the store.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use url::Url;

use super::client_keys::KeySource;
use crate::config::app::{AppConfig, AppKind, IdTokenAlg, ResourceConfig};
use crate::config::authentication::AuthMethod;
use crate::home::Home;
use crate::secrets::digest_of;
use crate::store::apps::{self, StoredApp};
use crate::store::{Store, StoreError};

/// An app as the provider uses it.
#[derive(Clone, Debug)]
pub struct App {
    pub client_id: String,
    pub name: Option<String>,
    pub kind: AppKind,
    pub(super) authentication: Authentication,
    pub redirect_uris: Vec<Url>,
    post_logout_redirect_uris: Vec<Url>,
    /// Where logout tokens go (OIDC Back-Channel Logout 2.2).
    pub backchannel_logout_uri: Option<Url>,
    /// Where the app begins a sign-in.
    pub sign_in_url: Option<Url>,
    pub first_party: bool,
    /// Whether the app must push its authorization requests (RFC 9126 6).
    pub requires_pushed_requests: bool,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    pub id_token_alg: IdTokenAlg,
    device_flow: bool,
}

/// A registered address of an app that people may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack<'a> {
    /// Where it wants people whom it has signed out (RP-Initiated Logout 3).
    AfterSignOut(&'a Url),
    /// Where its sign-ins begin.
    SignIn(&'a Url),
}

/// How an app proves who it is.
#[derive(Clone, Debug)]
pub(super) enum Authentication {
    /// Not at all (RFC 6749 2.1: a public client).
    None,
    /// By a secret, which rests as a digest. Without one, nobody is the app.
    Secret { digest: Option<String>, by: SecretBy },
    /// By an assertion that a key of its own has signed.
    Keys(KeySource),
}

/// Where an app may put its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretBy {
    Basic,
    Body,
    Either,
}

impl Authentication {
    fn new(config: &AppConfig, digest: Option<String>) -> Self {
        let by = match config.token_endpoint_auth_method {
            // A secret of an app that can't keep one authenticates nobody.
            _ if !config.kind.is_confidential() => return Self::None,
            Some(AuthMethod::PrivateKeyJwt) => {
                return match (&config.jwks, &config.jwks_uri) {
                    (Some(keys), _) => Self::Keys(KeySource::Fixed(Arc::new(keys.keys().clone()))),
                    (None, Some(url)) => Self::Keys(KeySource::Published(url.clone())),
                    // Refused where apps are read (`AppConfig::problems`); here nobody is such an app.
                    (None, None) => Self::Secret {
                        digest: None,
                        by: SecretBy::Either,
                    },
                };
            }
            Some(AuthMethod::ClientSecretBasic) => SecretBy::Basic,
            Some(AuthMethod::ClientSecretPost) => SecretBy::Body,
            Some(AuthMethod::None) | None => SecretBy::Either,
        };
        Self::Secret { digest, by }
    }
}

impl App {
    /// What people are told the app is called, on every page and in every message: its name, else the host of its site,
    /// else its client id.
    pub fn display_name(&self) -> &str {
        let named = self
            .name
            .as_deref()
            .or_else(|| Home::site_among(&self.redirect_uris));
        named.unwrap_or(&self.client_id)
    }

    /// Where a person who is signed out finds the app again. A program on their own device isn't at any address.
    pub fn way_back(&self) -> Option<WayBack<'_>> {
        let is_web = |url: &&Url| matches!(url.scheme(), "http" | "https");
        if self.kind == AppKind::Native {
            return None;
        }
        let after_sign_out = self.post_logout_redirect_uris.iter().find(is_web);
        let sign_in = || self.sign_in_url.as_ref().filter(is_web).map(WayBack::SignIn);
        after_sign_out.map(WayBack::AfterSignOut).or_else(sign_in)
    }

    /// Whether `secret` is the app's. Compared by digest, in constant time.
    pub fn has_secret(&self, secret: &str) -> bool {
        let Authentication::Secret {
            digest: Some(own), ..
        } = &self.authentication
        else {
            return false;
        };
        verify_slices_are_equal(own.as_bytes(), digest_of(secret).as_bytes()).is_ok()
    }

    /// Whether the app proves who it is (RFC 6749 2.1).
    pub fn is_confidential(&self) -> bool {
        !matches!(self.authentication, Authentication::None)
    }

    /// Whether the app may sign people in on devices (RFC 8628).
    pub fn has_device_flow(&self) -> bool {
        self.device_flow && self.has_people()
    }

    /// Whether the app has people who sign in.
    pub fn has_people(&self) -> bool {
        !self.is_machine()
    }

    /// Whether the app acts for itself (RFC 6749 4.4).
    pub fn is_machine(&self) -> bool {
        self.kind == AppKind::Machine
    }

    /// Whether `asked` is a redirect URI of the app: the same text (RFC 9700 2.1), except that native apps
    /// choose the port of a loopback address (RFC 8252 7.3).
    pub fn allows_redirect(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|registered| {
            is_same_text(registered, asked)
                || (self.kind == AppKind::Native && is_same_loopback(registered, asked))
        })
    }

    /// Whether another program on the person's machine could pose as the app at a redirect URI of it: any can listen on
    /// a loopback port or register a private scheme. An https address of a native app is claimed by it alone (RFC 8252
    /// 8.6).
    pub fn can_be_posed_as(&self, redirect_uri: &str) -> bool {
        self.kind == AppKind::Native && !redirect_uri.starts_with("https://")
    }

    /// Whether `asked` is a post-logout redirect URI of the app (RP-Initiated Logout 3).
    pub fn allows_post_logout_redirect(&self, asked: &str) -> bool {
        self.post_logout_redirect_uris.iter().any(|registered| {
            is_same_text(registered, asked)
                || (self.kind == AppKind::Native && is_same_loopback(registered, asked))
        })
    }

    /// Whether the app may ask for tokens for a resource.
    pub fn may_use(&self, indicator: &str) -> bool {
        self.resources.iter().any(|own| own == indicator)
    }

    /// Whether a scope is among the further ones of the app.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Whether pages of an origin may read answers to the app.
    pub(super) fn has_origin(&self, origin: &str) -> bool {
        self.origins().any(|own| own == origin)
    }

    /// The web origins of the app's redirect URIs: who may read answers in a browser.
    fn origins(&self) -> impl Iterator<Item = String> {
        self.redirect_uris
            .iter()
            .filter(|uri| matches!(uri.scheme(), "http" | "https"))
            .map(|uri| uri.origin().ascii_serialization())
    }

    fn new(config: AppConfig, secret_digest: Option<String>) -> Self {
        Self {
            authentication: Authentication::new(&config, secret_digest),
            client_id: config.client_id,
            name: config.name,
            kind: config.kind,
            redirect_uris: config.redirect_uris,
            post_logout_redirect_uris: config.post_logout_redirect_uris,
            backchannel_logout_uri: config.backchannel_logout_uri,
            sign_in_url: config.sign_in_url,
            first_party: config.first_party,
            requires_pushed_requests: config.require_pushed_authorization_requests,
            scopes: config.scopes,
            resources: config.resources,
            id_token_alg: config.id_token_signed_response_alg,
            device_flow: config.device_flow,
        }
    }
}

impl From<StoredApp> for App {
    fn from(stored: StoredApp) -> Self {
        Self::new(stored.config, stored.secret_digest)
    }
}

/// The apps and resources of the provider.
#[derive(Debug)]
pub(super) struct Registry {
    store: Store,
    fixed: HashMap<String, Arc<App>>,
    fixed_origins: HashSet<String>,
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
        let mut apps = HashMap::new();
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
        if let Some(app) = self.fixed.get(client_id) {
            return Ok(Some(app.clone()));
        }
        let stored = apps::find(self.store.reader(), client_id).await?;
        Ok(stored.map(|stored| Arc::new(stored.into())))
    }

    /// All apps, those of the file first.
    pub(super) async fn all(&self) -> Result<Vec<Arc<App>>, StoreError> {
        let mut all: Vec<_> = self.fixed.values().cloned().collect();
        all.sort_by(|a, b| a.client_id.cmp(&b.client_id));
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

/// Text equality, but for the slash that parsing puts behind a bare origin: who registered
/// `https://app.example` may ask with exactly that.
fn is_same_text(registered: &Url, asked: &str) -> bool {
    let bare = registered.path() == "/" && registered.query().is_none() && registered.fragment().is_none();
    registered.as_str() == asked || (bare && registered.as_str().strip_suffix('/') == Some(asked))
}

fn is_same_loopback(registered: &Url, asked: &str) -> bool {
    let split = |uri| -> Option<(&str, &str)> {
        let rest = str::strip_prefix(uri, "http://")?;
        let host = ["127.0.0.1", "[::1]", "localhost"]
            .into_iter()
            .find(|host| rest.starts_with(host))?;
        let rest = &rest[host.len()..];
        let path = match rest.strip_prefix(':') {
            None => rest,
            Some(port) => {
                let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
                port[..end].parse::<u16>().ok()?;
                &port[end..]
            }
        };
        // Else `127.0.0.1.evil.example` and `127.0.0.1:80@evil.example` were loopback.
        (path.is_empty() || path.starts_with('/') || path.starts_with('?')).then_some((host, path))
    };
    match (split(registered.as_str()), split(asked)) {
        (Some((host, path)), Some((asked_host, asked_path))) => {
            host == asked_host && or_root(path) == or_root(asked_path)
        }
        _ => false,
    }
}

/// An empty path is the root's (RFC 3986 6.2.3).
fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests;
