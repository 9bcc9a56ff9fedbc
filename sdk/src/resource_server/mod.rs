//! Protecting an API: access tokens are verified (RFC 9068), and refused as RFC 6750 says.
//!
//! ```
//! use keyback::Provider;
//! use keyback::resource_server::ResourceServer;
//!
//! # fn main() -> Result<(), keyback::Error> {
//! let orders = ResourceServer::builder("https://tenant.logto.app/oidc", "https://orders.example")
//!     .provider(Provider::Logto)
//!     .build()?;
//! # let _ = orders;
//! # Ok(())
//! # }
//! ```
//!
//! An application that signs people in as well shares its client's keys: [`Client::resource_server`]. With the feature `tower`,
//! `RequireAccessToken` is a layer for any tower or axum service; without,
//! [`ResourceServer::authorize`] takes the headers of a request.
//!
//! The token must name this API in `aud`. One that is for the provider itself, and an ID token, open nothing.

mod builder;
mod cache;
mod challenge;
mod claims;
mod introspection;
#[cfg(feature = "tower")]
mod layer;
pub(crate) mod rules;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;
use serde_json::{Map, Value};

pub use self::builder::ResourceServerBuilder;
use self::cache::Cache;
pub use self::challenge::Challenge;
pub use self::claims::AccessToken;
use self::introspection::{Introspection, is_opaque};
#[cfg(feature = "tower")]
pub use self::layer::{RequireAccessToken, RequireAccessTokenService};
use self::rules::{Audience, Candidate, Expected, Organizations};
use crate::client::{Client, KeySet, Provider};
pub use crate::error::AccessTokenError;
use crate::error::Error;
use crate::jws::{self, Header, JwsError};

/// Longer than any access token.
const LONGEST: usize = 16 * 1024;

/// An API that takes a provider's access tokens. Cheap to clone; clones share keys and the tokens that were verified.
#[derive(Clone)]
pub struct ResourceServer {
    inner: Arc<Inner>,
}

struct Inner {
    /// Whose metadata, keys, clock and algorithms count. It signs nobody in.
    client: Client,
    audience: Audience,
    cache: Cache,
    introspection: Option<Introspection>,
}

impl Client {
    /// Begins to describe the API `audience`, which takes access tokens of this client's provider. It shares the client's
    /// keys, clock, algorithms and leeway.
    pub fn resource_server(&self, audience: impl Into<String>) -> ResourceServerBuilder {
        ResourceServerBuilder::of(self.clone(), audience.into())
    }
}

impl ResourceServer {
    /// Begins to describe an API: `issuer` exactly as the provider's discovery document spells it, and the API's own
    /// identifier, as clients name it in `resource`.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> ResourceServerBuilder {
        ResourceServerBuilder::new(issuer.into(), audience.into())
    }

    /// Verifies an access token: signature and claims. The same token is verified once and then remembered, for five
    /// minutes at most; that it has not expired is checked each time.
    ///
    /// # Errors
    ///
    /// [`AccessTokenError`] for a token that opens nothing here, [`DiscoveryError`](crate::DiscoveryError) when the
    /// provider's keys can't be had, [`IntrospectionError`](crate::IntrospectionError) when it does not say what an opaque
    /// token is worth.
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Error> {
        if let Some(introspection) = &self.inner.introspection
            && is_opaque(token)
        {
            return self.introspected(introspection, token).await;
        }
        let now = self.inner.client.now();
        if let Some(known) = self.inner.cache.find(token, now) {
            rules::times(known.claims(), now, self.inner.client.leeway())?;
            return Ok(known);
        }
        let claims = self.checked(token, now).await?;
        let verified = AccessToken::new(claims).ok_or(AccessTokenError::Malformed)?;
        self.inner.cache.remember(token, &verified, now);
        Ok(verified)
    }

    /// What a request may do, by the access token of its headers. Where it has not `scopes`, all of them, or no token that
    /// is good, the challenge is the answer to give.
    ///
    /// ```
    /// # use keyback::http::HeaderMap;
    /// # use keyback::resource_server::{AccessToken, ResourceServer};
    /// /// `GET /orders`: the status to answer with.
    /// async fn orders(api: &ResourceServer, headers: &HeaderMap) -> u16 {
    ///     match api.authorize(headers, &["read:orders"]).await {
    ///         Ok(token) => list(token.subject()),
    ///         Err(challenge) => challenge.status().as_u16(), // with the headers of `challenge.headers()`
    ///     }
    /// }
    /// # fn list(_: &str) -> u16 { 200 }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Challenge`]: status and headers of the answer.
    pub async fn authorize(&self, headers: &HeaderMap, scopes: &[&str]) -> Result<AccessToken, Challenge> {
        let authorized = async {
            let token = self.verify(challenge::bearer(headers)?).await?;
            if scopes.iter().all(|scope| token.has_scope(scope)) {
                Ok(token)
            } else {
                let scope = scopes.join(" ");
                Err(Error::from(AccessTokenError::InsufficientScope { scope }))
            }
        };
        authorized.await.map_err(Challenge::new)
    }

    /// An opaque token, about which the provider is asked each time: that it may be revoked is why it is opaque.
    async fn introspected(&self, introspection: &Introspection, token: &str) -> Result<AccessToken, Error> {
        if token.len() > LONGEST {
            return Err(refused(AccessTokenError::Malformed));
        }
        let claims = introspection.ask(self.inner.client.http(), token).await;
        let claims = claims.map_err(refused)?;
        self.check_rules(None, &claims, self.inner.client.now())?;
        Ok(AccessToken::new(claims).ok_or(AccessTokenError::Malformed)?)
    }

    async fn checked(&self, token: &str, now: SystemTime) -> Result<Map<String, Value>, Error> {
        let parsed = Header::parse(token, LONGEST).and_then(|header| Ok((header, jws::claims(token)?)));
        let (header, claims) = parsed.map_err(|error| refused(AccessTokenError::from(error)))?;
        // What needs no key comes first: a stranger's token must not cost a signature, let alone a fetch of keys.
        self.check_rules(Some(&header), &claims, now)?;
        self.check_signature(token, &header).await.map_err(refused)?;
        Ok(claims)
    }

    fn check_rules(
        &self,
        header: Option<&Header>,
        claims: &Map<String, Value>,
        now: SystemTime,
    ) -> Result<(), AccessTokenError> {
        let client = &self.inner.client;
        let expected = Expected {
            issuer: client.issuer(),
            audience: &self.inner.audience,
            plain_jwt: matches!(client.provider(), Provider::Logto),
            now,
            leeway: client.leeway(),
        };
        rules::run(&Candidate {
            header,
            claims,
            expected: &expected,
        })
    }

    async fn check_signature(&self, token: &str, header: &Header) -> Result<(), Error> {
        let client = &self.inner.client;
        let algorithm = header
            .algorithm(client.algorithms())
            .map_err(AccessTokenError::from)?;
        let check = |keys: &KeySet| header.check_signature(token, algorithm, keys);
        let metadata = client.metadata().await?;
        let keys = client.keys(&metadata).await?;
        let mut outcome: Result<(), JwsError> = check(&keys);
        if let Err(error) = &outcome
            && header.calls_for_newer_keys(error)
            && let Some(keys) = client
                .newer_keys(&metadata, &keys, header.key_id.as_deref())
                .await
        {
            outcome = check(&keys);
        }
        Ok(outcome.map_err(AccessTokenError::from)?)
    }
}

/// Tells the log of a refusal that is none of the rules', which do so themselves.
fn refused(error: impl Into<Error>) -> Error {
    let error = error.into();
    tracing::info!(code = error.code(), "access token refused");
    error
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer")
            .field("issuer", &self.inner.client.issuer())
            .field("audience", &self.inner.audience)
            .finish_non_exhaustive()
    }
}
