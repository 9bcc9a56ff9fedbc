//! The client: configuration, and what is known of the provider.

pub(crate) mod algorithm;
mod builder;
mod client_key;
mod discovery;
pub(crate) mod endpoint;
mod held;
mod json_web_key;
mod keys;
mod product;
mod provider;
pub(crate) mod signing_key;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields, RedirectUrl, StandardRevocableToken,
    StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use url::Url;

pub use self::algorithm::Algorithm;
pub use self::builder::ClientBuilder;
pub(crate) use self::builder::default_transport;
pub use self::client_key::{AssertionAudience, ClientKey};
pub(crate) use self::discovery::Metadata;
use self::endpoint::Credentials;
use self::held::Held;
pub(crate) use self::json_web_key::PublicKey;
pub(crate) use self::keys::KeySet;
use self::keys::{Keys, Source};
pub use self::product::Product;
pub use self::provider::{ClientAuthentication, Provider};
use crate::clock::Clock;
use crate::clock_drift::{ClockDrift, TimedTransport};
use crate::dpop::Nonces;
use crate::error::{DiscoveryError, Error};
use crate::random::Random;
use crate::secret::Secret;
use crate::session::ReplayStore;
use crate::sign_in::{FirstScreen, SignInBuilder};
use crate::transport::HttpTransport;

/// A relying party of one OpenID provider.
///
/// Cheap to clone, and shared between requests: it keeps the provider's metadata and keys. Building one does no
/// I/O; the provider may be down when the program starts.
///
/// ```
/// use keyback::Client;
///
/// /// No generics: it goes into any application state.
/// #[derive(Clone)]
/// struct App {
///     auth: Client,
/// }
///
/// # fn main() -> Result<(), keyback::Error> {
/// let app = App {
///     auth: Client::builder("https://id.example/oidc", "my-app")
///         .client_secret("from the provider's console")
///         .redirect_uri("https://app.example/callback")
///         .build()?,
/// };
/// # fn shared<T: Send + Sync + 'static>(_: &T) {}
/// # shared(&app);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    issuer: String,
    client_id: String,
    credentials: Credentials,
    redirect_uri: RedirectUrl,
    provider: Provider,
    pushes_requests: bool,
    binds_tokens: bool,
    scopes: Vec<String>,
    resources: Vec<String>,
    reserved_scopes: bool,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    pending_lifetime: Duration,
    http: TimedTransport,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metadata: Held<Metadata>,
    keys: Keys,
    logout_tokens: Arc<dyn ReplayStore>,
    nonces: Nonces,
}

impl Client {
    /// Begins to describe a client: `issuer` exactly as the provider's discovery document spells it, and the client id
    /// that the provider has registered.
    pub fn builder(issuer: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(issuer.into(), client_id.into())
    }

    /// Begins a sign-in.
    pub fn sign_in(&self) -> SignInBuilder {
        SignInBuilder::new(self.clone())
    }

    /// Begins the way back for who forgot the password: a sign-in whose first screen is the reset page, and which
    /// asks for a login even if the provider has a session.
    ///
    /// The application's own session should stay as it is until the callback succeeds: anybody can follow this
    /// link.
    pub fn forgot_password(&self) -> SignInBuilder {
        self.sign_in().first_screen(FirstScreen::ResetPassword)
    }

    /// Fetches metadata and keys now, for those who prefer to fail at the start.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError`], retryable or not.
    pub async fn ready(&self) -> Result<(), Error> {
        let metadata = self.metadata().await?;
        self.keys(&metadata).await?;
        Ok(())
    }

    /// The issuer this client trusts.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.inner.client_id
    }

    /// Where the provider sends the browser back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        self.inner.redirect_uri.url()
    }

    /// The provider's profile.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.inner.provider
    }

    /// The redirect URI in the very characters it was given in, which the provider compares.
    pub(crate) fn redirect_uri_as_given(&self) -> &RedirectUrl {
        &self.inner.redirect_uri
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }

    /// Whether requests are to be pushed wherever they can be.
    pub(crate) fn pushes_requests(&self) -> bool {
        self.inner.pushes_requests
    }

    /// Whether access tokens are to be bound to a key wherever they can be.
    pub(crate) fn binds_tokens(&self) -> bool {
        self.inner.binds_tokens
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.inner.nonces
    }

    pub(crate) fn default_scopes(&self) -> &[String] {
        &self.inner.scopes
    }

    pub(crate) fn default_resources(&self) -> &[String] {
        &self.inner.resources
    }

    pub(crate) fn has_reserved_scopes(&self) -> bool {
        self.inner.reserved_scopes
    }

    pub(crate) fn algorithms(&self) -> &[Algorithm] {
        &self.inner.algorithms
    }

    pub(crate) fn leeway(&self) -> Duration {
        self.inner.leeway
    }

    pub(crate) fn pending_lifetime(&self) -> Duration {
        self.inner.pending_lifetime
    }

    pub(crate) fn http(&self) -> &dyn HttpTransport {
        &self.inner.http
    }

    /// How far this machine's clock is from the provider's; `None` while nothing is known, or they agree.
    pub(crate) fn clock_drift(&self) -> Option<ClockDrift> {
        self.inner.http.drift()
    }

    /// The time by the provider's clock, as far as it is known.
    pub(crate) fn provider_now(&self) -> SystemTime {
        let now = self.now();
        self.clock_drift().map_or(now, |drift| drift.provider_time(now))
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.inner.random
    }

    pub(crate) fn logout_tokens(&self) -> &dyn ReplayStore {
        &*self.inner.logout_tokens
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.inner.clock.now()
    }

    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, DiscoveryError> {
        let inner = &*self.inner;
        let fetch = Metadata::fetch(&inner.http, &inner.issuer);
        inner.metadata.load(&*inner.clock, &*inner.random, fetch).await
    }

    pub(crate) async fn keys(&self, metadata: &Metadata) -> Result<Arc<KeySet>, DiscoveryError> {
        self.inner.keys.load(&self.key_source(metadata)).await
    }

    /// Newer keys than `tried`, or `None` where a fetch is not due.
    pub(crate) async fn newer_keys(
        &self,
        metadata: &Metadata,
        tried: &Arc<KeySet>,
        key_id: Option<&str>,
    ) -> Option<Arc<KeySet>> {
        self.inner
            .keys
            .newer(tried, key_id, &self.key_source(metadata))
            .await
    }

    /// oauth2's client, which writes authorization requests.
    pub(crate) fn oauth2(&self, metadata: &Metadata) -> OAuth2 {
        let inner = &*self.inner;
        oauth2::Client::new(ClientId::new(inner.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_redirect_uri(inner.redirect_uri.clone())
    }

    fn key_source<'a>(&'a self, metadata: &'a Metadata) -> Source<'a> {
        Source {
            transport: &self.inner.http,
            clock: &*self.inner.clock,
            random: &*self.inner.random,
            jwks_uri: &metadata.jwks_uri,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("issuer", &self.inner.issuer)
            .field("client_id", &self.inner.client_id)
            .field("provider", &self.inner.provider)
            .finish_non_exhaustive()
    }
}

/// oauth2's client with the one endpoint that it writes requests for.
pub(crate) type OAuth2 = oauth2::Client<
    BasicErrorResponse,
    TokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

pub(crate) type TokenResponse = StandardTokenResponse<IdTokenField, BasicTokenType>;

/// What OpenID Connect adds to a token response (OpenID Connect Core section 3.1.3.3).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct IdTokenField {
    #[serde(default)]
    pub(crate) id_token: Option<Secret>,
}

impl ExtraTokenFields for IdTokenField {}
