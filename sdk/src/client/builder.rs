//! Describing a client; `build` judges the whole description without any I/O.

use std::sync::Arc;
use std::time::Duration;

use oauth2::RedirectUrl;
use url::Url;

use super::endpoint::Credentials;
use super::held::Held;
use super::keys::Keys;
use super::{Algorithm, Client, ClientAuthentication, ClientKey, Inner, Provider};
use crate::clock::{Clock, SystemClock};
use crate::clock_drift::TimedTransport;
use crate::dpop::Nonces;
use crate::error::{ConfigError, Error};
use crate::random::{Random, SystemRandom};
use crate::secret::Secret;
use crate::secure_url::{has_credentials, is_secure, may_return_to};
use crate::session::{MemoryReplays, ReplayStore};
use crate::transport::HttpTransport;
#[cfg(feature = "reqwest")]
use crate::transport::ReqwestTransport;

const LEEWAY: Duration = Duration::from_secs(60);
/// As long as the companion keeps an interaction: a sign-in may turn into a reset at the provider, where waiting for a
/// code alone may take ten minutes.
const PENDING_LIFETIME: Duration = Duration::from_secs(60 * 60);
const LONGEST_LEEWAY: Duration = Duration::from_secs(10 * 60);
const LONGEST_PENDING_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Describes a [`Client`].
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    authentication: ClientAuthentication,
    client_key: Option<ClientKey>,
    redirect_uri: Option<String>,
    provider: Provider,
    pushes_requests: bool,
    binds_tokens: bool,
    scopes: Vec<String>,
    resources: Vec<String>,
    reserved_scopes: bool,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    pending_lifetime: Duration,
    http: Option<Arc<dyn HttpTransport>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    logout_tokens: Arc<dyn ReplayStore>,
}

impl ClientBuilder {
    pub(super) fn new(issuer: String, client_id: String) -> Self {
        Self {
            issuer,
            client_id,
            client_secret: None,
            authentication: ClientAuthentication::default(),
            client_key: None,
            redirect_uri: None,
            provider: Provider::default(),
            pushes_requests: false,
            binds_tokens: false,
            scopes: Vec::new(),
            resources: Vec::new(),
            reserved_scopes: true,
            algorithms: Algorithm::DEFAULT.to_vec(),
            leeway: LEEWAY,
            pending_lifetime: PENDING_LIFETIME,
            http: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            logout_tokens: Arc::new(MemoryReplays::new()),
        }
    }

    /// The secret of a confidential client. A public client, such as a desktop application, has none.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret));
        self
    }

    /// How the secret is sent. `client_secret_basic` by default.
    pub fn client_authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// The private key of a client that proves itself by `private_key_jwt` (RFC 7523) in place of a secret. The provider knows
    /// the public half.
    pub fn client_key(mut self, key: ClientKey) -> Self {
        self.client_key = Some(key);
        self
    }

    /// Sends authorization requests to the provider from server to server, and only a reference to them through the browser
    /// (PAR, RFC 9126): nobody on the way reads or changes what is asked. Without this call requests are pushed only to a
    /// provider that requires it. With it, [`start`](crate::SignInBuilder::start) fails where the provider takes none.
    pub fn pushed_requests(mut self) -> Self {
        self.pushes_requests = true;
        self
    }

    /// Binds access tokens to a key of their session wherever the provider can (DPoP, RFC 9449), so that a stolen token is of no
    /// use. The key is made with the session and kept with it: [`Session::dpop_key`](crate::Session::dpop_key).
    pub fn dpop(mut self) -> Self {
        self.binds_tokens = true;
        self
    }

    /// Where the provider sends the browser back to, exactly as it is registered there: https, http on a loopback
    /// address, or a native application's own scheme such as `com.example.app:/callback`, which is a domain name of its
    /// maker in reverse order (RFC 8252 section 7); no query and no fragment.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The provider's profile. [`Provider::Keyback`] by default.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Adds a scope to every sign-in of this client. Beside `openid`, every sign-in has `offline_access` and `profile` by
    /// itself, as with Logto's own SDKs, where the provider's metadata doesn't leave them out of `scopes_supported`.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds an API to every sign-in of this client (RFC 8707): see [`SignInBuilder::resource`](crate::SignInBuilder::resource).
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Sign-ins have neither `offline_access` nor `profile` by themselves. Without `offline_access` there is no refresh
    /// token, and so no session outlives its first access token; nor is there a consent prompt for it.
    pub fn without_reserved_scopes(mut self) -> Self {
        self.reserved_scopes = false;
        self
    }

    /// The signature algorithms accepted in ID tokens. [`Algorithm::DEFAULT`] by default. The list is never taken from
    /// the provider's metadata nor from a token.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far the clocks of this machine and of the provider may differ. One minute by default, ten at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(LONGEST_LEEWAY);
        self
    }

    /// How long a sign-in may take from the redirect to the callback. One hour by default, a day at most.
    pub fn pending_lifetime(mut self, lifetime: Duration) -> Self {
        self.pending_lifetime = lifetime.min(LONGEST_PENDING_LIFETIME);
        self
    }

    /// How the provider is reached. reqwest with limits by default.
    pub fn http(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.http = Some(transport);
        self
    }

    /// The clock. The system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The source of state and nonce. The system's by default.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Who remembers the logout tokens that were accepted. [`MemoryReplays`] by default.
    pub fn replay_store(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.logout_tokens = store;
        self
    }

    /// Builds the client. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for settings that cannot work or would not be safe.
    pub fn build(self) -> Result<Client, Error> {
        check_issuer(&self.issuer)?;
        if self.client_id.is_empty() {
            return Err(ConfigError::EmptyClientId.into());
        }
        if self
            .client_secret
            .as_ref()
            .is_some_and(|secret| secret.expose().is_empty())
        {
            return Err(ConfigError::EmptyClientSecret.into());
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithms.into());
        }
        self.provider.check()?;
        let credentials = match (self.client_secret, self.client_key) {
            (Some(_), Some(_)) => return Err(ConfigError::SecretAndKey.into()),
            (Some(secret), None) => Credentials::Secret(secret, self.authentication),
            (None, Some(key)) => Credentials::Key(key),
            (None, None) => Credentials::None,
        };
        let redirect_uri = parse_redirect_uri(self.redirect_uri)?;
        let http = match self.http {
            Some(transport) => transport,
            None => default_transport()?,
        };
        Ok(Client {
            inner: Arc::new(Inner {
                issuer: self.issuer,
                client_id: self.client_id,
                credentials,
                redirect_uri,
                provider: self.provider,
                pushes_requests: self.pushes_requests,
                binds_tokens: self.binds_tokens,
                scopes: self.scopes,
                resources: self.resources,
                reserved_scopes: self.reserved_scopes,
                algorithms: self.algorithms,
                leeway: self.leeway,
                pending_lifetime: self.pending_lifetime,
                http: TimedTransport::new(http, Arc::clone(&self.clock)),
                clock: self.clock,
                random: self.random,
                metadata: Held::new(),
                keys: Keys::new(),
                logout_tokens: self.logout_tokens,
                nonces: Nonces::default(),
            }),
        })
    }
}

/// OpenID Connect Discovery section 3, with https or loopback.
fn check_issuer(issuer: &str) -> Result<(), ConfigError> {
    let url = Url::parse(issuer).map_err(|_| ConfigError::IssuerNotUrl)?;
    if !is_secure(&url) {
        return Err(ConfigError::IssuerInsecure);
    }
    if url.query().is_some() || url.fragment().is_some() || has_credentials(&url) {
        return Err(ConfigError::IssuerNotPlain);
    }
    Ok(())
}

fn parse_redirect_uri(text: Option<String>) -> Result<RedirectUrl, ConfigError> {
    let text = text.ok_or(ConfigError::MissingRedirectUri)?;
    let redirect_uri = RedirectUrl::new(text).map_err(|_| ConfigError::RedirectUriNotUrl)?;
    let url = redirect_uri.url();
    if !may_return_to(url) {
        return Err(ConfigError::RedirectUriInsecure);
    }
    if url.query().is_some() || url.fragment().is_some() || has_credentials(url) {
        return Err(ConfigError::RedirectUriNotPlain);
    }
    Ok(redirect_uri)
}

#[cfg(feature = "reqwest")]
pub(crate) fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    Ok(Arc::new(ReqwestTransport::new().map_err(ConfigError::Transport)?))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    Err(ConfigError::NoTransport)
}
