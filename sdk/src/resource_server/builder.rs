//! Describing an API; `build` judges it without any I/O.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::cache::Cache;
use super::introspection::Introspection;
use super::{Audience, Inner, Organizations, ResourceServer};
use crate::client::{Algorithm, Client, ClientBuilder, Provider};
use crate::clock::Clock;
use crate::error::{ConfigError, Error};
use crate::resource::is_resource;
use crate::secret::Secret;
use crate::secure_url::{has_credentials, is_secure};
use crate::transport::HttpTransport;

/// A client must be able to come back from a sign-in. The one of an API never leaves for one.
const NEVER_VISITED: &str = "https://localhost/";
const CACHED: usize = 10_000;

/// Describes a [`ResourceServer`]. One that was begun by [`Client::resource_server`] has the client's settings, and
/// [`build`](Self::build) refuses to change them.
#[must_use = "nothing happens before `build`"]
pub struct ResourceServerBuilder {
    keys: Keys,
    audience: String,
    organizations: Organizations,
    cached: usize,
    introspection: Option<(String, String, Secret)>,
}

/// Whose keys sign the tokens.
enum Keys {
    /// Those of a provider that this API asks itself.
    Own(Box<ClientBuilder>),
    /// Those that a client of the application has, with the client's own settings.
    Of(Client),
    /// The same, and somebody tried to change the client's settings here.
    Changed,
}

impl ResourceServerBuilder {
    pub(super) fn new(issuer: String, audience: String) -> Self {
        let client = Client::builder(issuer, audience.clone()).redirect_uri(NEVER_VISITED);
        Self::with(Keys::Own(Box::new(client)), audience)
    }

    pub(super) fn of(client: Client, audience: String) -> Self {
        Self::with(Keys::Of(client), audience)
    }

    fn with(keys: Keys, audience: String) -> Self {
        Self {
            keys,
            audience,
            organizations: Organizations::NotAsAudience,
            cached: CACHED,
            introspection: None,
        }
    }

    /// The provider's profile. For [`Provider::Logto`], a token of the plain type `JWT` is taken as well, as some versions
    /// sign them.
    pub fn provider(self, provider: Provider) -> Self {
        self.configure(|client| client.provider(provider))
    }

    /// The signature algorithms that are accepted. [`Algorithm::DEFAULT`] by default.
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.configure(|client| client.algorithms(algorithms))
    }

    /// How far the clocks of this machine and of the provider may differ. One minute by default, ten at most.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.configure(|client| client.leeway(leeway))
    }

    /// How the provider is reached. reqwest with limits by default.
    pub fn http(self, transport: Arc<dyn HttpTransport>) -> Self {
        self.configure(|client| client.http(transport))
    }

    /// The clock. The system's by default.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        self.configure(|client| client.clock(clock))
    }

    /// Takes Logto's organization tokens as well, whose audience is `urn:logto:organization:ID` and not the API. Which
    /// organization it is, [`AccessToken::organization_id`](super::AccessToken::organization_id) tells: compare it with that
    /// of the data that is asked for.
    pub fn organization_tokens(mut self) -> Self {
        self.organizations = Organizations::AsAudience;
        self
    }

    /// Takes opaque tokens as well: the provider is asked about each, at every request (RFC 7662), and says what a JWT would.
    /// `endpoint` is its introspection endpoint, of Logto and the companion `{issuer}/token/introspection`; id and secret are
    /// those of an app that stands for the API.
    pub fn introspection(
        mut self,
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        self.introspection = Some((endpoint.into(), client_id.into(), Secret::new(client_secret)));
        self
    }

    /// How many verified tokens are remembered: 10,000 by default, and with 0 none.
    pub fn remembered_tokens(mut self, tokens: usize) -> Self {
        self.cached = tokens;
        self
    }

    /// Builds the API's side. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for settings that cannot work or would not be safe.
    pub fn build(self) -> Result<ResourceServer, Error> {
        if !is_resource(&self.audience) {
            return Err(ConfigError::AudienceNotUri.into());
        }
        let introspection = self.introspection.map(parse_introspection).transpose()?;
        let client = match self.keys {
            Keys::Own(client) => client.build()?,
            Keys::Of(client) => client,
            Keys::Changed => return Err(ConfigError::SharedClient.into()),
        };
        Ok(ResourceServer {
            inner: Arc::new(Inner {
                client,
                audience: Audience {
                    api: self.audience,
                    organizations: self.organizations,
                },
                cache: Cache::new(self.cached),
                introspection,
            }),
        })
    }

    fn configure(mut self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.keys = match self.keys {
            Keys::Own(client) => Keys::Own(Box::new(change(*client))),
            Keys::Of(_) | Keys::Changed => Keys::Changed,
        };
        self
    }
}

fn parse_introspection(told: (String, String, Secret)) -> Result<Introspection, ConfigError> {
    let (endpoint, client_id, client_secret) = told;
    let endpoint = Url::parse(&endpoint).ok();
    let endpoint = endpoint.filter(|url| is_secure(url) && !has_credentials(url));
    Ok(Introspection {
        endpoint: endpoint.ok_or(ConfigError::IntrospectionEndpoint)?,
        client_id,
        client_secret,
    })
}
