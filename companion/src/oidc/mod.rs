//! The embedded OpenID provider: OAuth 2.0 (RFC 6749, RFC 9700) and OpenID Connect under `{public_url}/oidc`, on
//! Logto's paths, so that Logto's own SDKs work unchanged.
//!
//! ```text
//! authorize/   the request in: one file per check; the code out
//! token/       codes and refresh tokens become tokens: one file per grant type
//! device/      sign-ins on devices without a browser
//! userinfo, revocation, introspection, end_session, metadata      one endpoint each
//! registry, session, interaction, kept, keys, logout_token        apps; who is signed in; who waits; who signs
//! client_auth, client_assertion, client_keys                      how apps prove who they are
//! params, bearer, cors, error, pages                              how requests are read and refused
//! ```

mod acr;
pub mod authorize;
pub(crate) mod bearer;
pub mod claims;
mod client_assertion;
mod client_auth;
pub(crate) mod client_keys;
mod cors;
pub mod device;
mod document;
mod end_session;
pub mod error;
mod hint;
pub mod interaction;
mod introspection;
mod jws;
mod kept;
mod key_ring;
pub mod keys;
mod logout_token;
mod metadata;
pub mod pages;
mod params;
pub mod permissions;
pub mod registry;
mod revocation;
pub mod scope;
pub mod session;
mod sweep;
#[cfg(test)]
mod tests;
mod token;
mod userinfo;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::Full;
use keyback_core::random::Random;
use keyback_core::rate_limit::{Limiter, Limits};
use keyback_core::time::{Clock, Timestamp};
use url::Url;

use crate::config::app::{AppConfig, ResourceConfig};
use crate::config::lifetimes::{SessionConfig, TokensConfig};
use crate::http::cookies::{Attributes, Cookies};
use crate::http::headers::Guards;
use crate::logout::Endings;
use crate::outgoing::OutgoingHttp;
use crate::secrets::{Purpose, RootKeys, Sealer};
use crate::store::boots::{self, Boot};
use crate::store::sessions::Session;
use crate::store::{Store, StoreError, Transaction};

use authorize::WayToAPage;
pub use authorize::{Answer, Completed, Completion, Denial, Prepared, Unfit, Yes};
use client_keys::FetchedKeys;
use device::UserCodeKeys;
use document::Document;
use error::Failure;
pub use interaction::Interaction;
use keys::{Keys, KeysError};
use pages::ProviderPages;
use permissions::Permissions;
use registry::{App, Registry, RegistryError};
use scope::Scopes;
pub use session::{Sessions, SignIn, SignedOutBy};

/// The built-in, first-party, public client behind `/reset-password`.
pub const RESET_CLIENT_ID: &str = "keyback-reset";

/// The app that the built-in client of `/reset-password` acts for: the pages wear its name. A parameter of that
/// client's authorization requests alone; it grants nothing.
pub const FOR_APP: &str = "keyback_app";

/// What the provider is made of.
pub struct ProviderParts<'a> {
    pub store: Store,
    pub root_keys: &'a RootKeys,
    /// The origin that people see; the issuer is `{public_url}/oidc`.
    pub public_url: Url,
    /// The apps of the file and the built-in ones.
    pub apps: Vec<AppConfig>,
    pub resources: Vec<ResourceConfig>,
    pub tokens: TokensConfig,
    pub session: SessionConfig,
    pub endings: Endings,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub pages: Arc<dyn ProviderPages>,
    pub limits: Limits,
    /// Fetches the keys that apps publish.
    pub outgoing: Arc<OutgoingHttp>,
    /// The machine's boot, where it tells.
    pub boot: Option<Boot>,
    /// Whether people can reset their password here; if not, a request for it begins on the sign-in page.
    pub reset_available: bool,
}

/// Why the provider could not start.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Apps(#[from] RegistryError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The OpenID provider. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    store: Store,
    issuer: String,
    public_url: Url,
    registry: Registry,
    metadata: Document,
    keys: Keys,
    /// The keys that apps publish.
    client_keys: FetchedKeys,
    user_codes: UserCodeKeys,
    limiter: Limiter<Store>,
    /// Seals the cookies of waiting requests.
    sealer: Sealer,
    /// Seals the answers kept for repeated refreshes.
    answers: Sealer,
    cookies: Cookies,
    /// Those of the cookies of waiting requests.
    waiting_cookie: Attributes,
    way_to_a_page: WayToAPage,
    tokens: TokensConfig,
    session: SessionConfig,
    endings: Endings,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pages: Arc<dyn ProviderPages>,
    reset_available: bool,
}

impl Provider {
    /// Makes the signing keys if there are none, forgets what apps held that are gone, ends what a power cut may have brought
    /// back, and prepares everything that requests need in memory.
    pub async fn start(parts: ProviderParts<'_>) -> Result<Self, ProviderError> {
        let issuer = format!("{}/oidc", parts.public_url.as_str().trim_end_matches('/'));
        let registry = Registry::new(&parts.store, parts.apps, parts.resources).await?;
        registry.forget_gone().await.map_err(RegistryError::from)?;
        boots::begin(&parts.store, parts.boot.as_ref()).await?;
        let guards = Guards::new(&parts.public_url);
        let cookies = Cookies::for_url(&parts.public_url);
        let keys = Keys::start(
            &parts.store,
            parts.root_keys,
            &guards,
            &*parts.random,
            parts.clock.now(),
        )
        .await?;
        Ok(Self(Arc::new(Inner {
            metadata: Document::new(&metadata::document(&issuer, &registry), &guards),
            waiting_cookie: cookies.attributes(Some(parts.tokens.interaction.0)),
            cookies,
            way_to_a_page: WayToAPage::new(&guards),
            sealer: parts.root_keys.sealer(Purpose::Cookies),
            answers: parts.root_keys.sealer(Purpose::RefreshAnswers),
            limiter: Limiter::new(parts.store.clone(), parts.limits),
            store: parts.store,
            issuer,
            public_url: parts.public_url,
            registry,
            keys,
            client_keys: FetchedKeys::new(parts.outgoing),
            user_codes: UserCodeKeys::new(parts.root_keys),
            tokens: parts.tokens,
            session: parts.session,
            endings: parts.endings,
            clock: parts.clock,
            random: parts.random,
            pages: parts.pages,
            reset_available: parts.reset_available,
        })))
    }

    /// The provider's endpoints, with their own CORS and cache headers; all else is the server's.
    pub fn router(&self) -> Router {
        let mut open = Router::new();
        for path in metadata::PATHS {
            open = open.route(path, get(metadata::get));
        }
        let open = open.layer(middleware::from_fn(cors::open));
        let of_apps = Router::new()
            .route("/oidc/token", post(token::post))
            .route("/oidc/me", get(userinfo::answer).post(userinfo::answer))
            .route("/oidc/request", post(authorize::push))
            .route("/oidc/token/revocation", post(revocation::post))
            .layer(middleware::from_fn_with_state(self.clone(), cors::of_apps));
        Router::new()
            .route(authorize::PATH, get(authorize::get).post(authorize::post))
            .route("/oidc/device/auth", post(device::post))
            .route("/oidc/token/introspection", post(introspection::post))
            .merge(open)
            .merge(of_apps)
            .with_state(self.clone())
    }

    /// The provider's endpoint that answers with pages for people.
    pub fn pages(&self) -> Router {
        Router::new()
            .route("/oidc/session/end", get(end_session::get).post(end_session::post))
            .with_state(self.clone())
    }

    /// Lets pages of an app's origins read what `routes` answer the app.
    pub(crate) fn readable_by_apps<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.layer(middleware::from_fn_with_state(self.clone(), cors::of_apps))
    }

    /// The answer to a request for discovery or the key set, where it is one, with the headers that every answer
    /// carries: these are the same for everybody, and are asked for more than all else. [`Self::router`] answers them too.
    pub fn published(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<http::Response<Full<Bytes>>> {
        metadata::published(&self.0, method, path, headers)
    }

    /// Whether a request is one for a sign-in that [`Self::authorize`] answers. [`Self::router`] does too.
    pub fn is_authorization(&self, method: &Method, path: &str) -> bool {
        method == Method::GET && path == authorize::PATH
    }

    /// The answer that [`Self::authorize`] gives, with the headers that every answer carries, where nothing has to be waited
    /// for and the person is to be asked.
    pub fn authorize_at_once(&self, uri: &Uri, headers: &HeaderMap) -> Option<http::Response<Full<Bytes>>> {
        authorize::answer_at_once(&self.0, uri, headers)
    }

    /// Answers an authorization request that a browser brings from an address.
    pub async fn authorize(&self, uri: &Uri, headers: &HeaderMap, address: IpAddr) -> Response {
        authorize::answer(&self.0, uri, headers, Some(address)).await
    }

    /// `{public_url}/oidc`.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The browser sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        self.0.sessions()
    }

    /// Finds an app, of the file or of the store.
    pub async fn app(&self, client_id: &str) -> Result<Option<Arc<App>>, StoreError> {
        self.0.registry.find(client_id).await
    }

    /// All apps, those of the file first.
    pub async fn apps(&self) -> Result<Vec<Arc<App>>, StoreError> {
        self.0.registry.all().await
    }

    /// The waiting authorization request of an id, if this browser holds it and it has not expired.
    pub async fn interaction(
        &self,
        headers: &HeaderMap,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Interaction>, Failure> {
        self.0.find_interaction(headers, id, now).await
    }

    /// Answers a waiting request with a session: a code, and the way back to the app. `yes` is that of the consent
    /// page, where the person was asked.
    pub async fn complete(
        &self,
        interaction: &Interaction,
        session: &Session,
        yes: Option<Yes<'_>>,
        now: Timestamp,
    ) -> Result<Completion, Failure> {
        authorize::complete(&self.0, interaction, session, yes, now).await
    }

    /// Looks up what [`Self::complete_within`] needs for an account, before its transaction begins.
    pub async fn prepare(&self, interaction: &Interaction, user_id: &str) -> Result<Prepared, Failure> {
        authorize::prepare(&self.0, interaction, user_id).await
    }

    /// [`Self::complete`] for a session that begins in the same transaction: what it answers takes place once that is
    /// committed. Nobody has said yes yet.
    pub async fn complete_within(
        &self,
        tx: &mut Transaction,
        interaction: &Interaction,
        prepared: Prepared,
        session: &Session,
        now: Timestamp,
    ) -> Result<Completion, Failure> {
        authorize::complete_within(&self.0, tx, interaction, prepared, session, now).await
    }

    /// Answers a waiting request with the person's no: `access_denied`.
    pub async fn deny(&self, interaction: &Interaction) -> Result<Denial, Failure> {
        authorize::deny(&self.0, interaction).await
    }

    /// What an app asks for, as people are asked about it.
    pub fn permissions(&self, app: &App, scopes: &Scopes, resources: &[String]) -> Permissions {
        self.0.permissions(app, scopes, resources)
    }

    /// An API of the configuration.
    pub fn resource(&self, indicator: &str) -> Option<&ResourceConfig> {
        self.0.registry.resource(indicator)
    }

    /// Takes an answer to the app, and the answered request from the browser.
    pub fn deliver(&self, headers: &HeaderMap, completed: Completed) -> Response {
        let mut response = self.0.deliver(headers, None, &completed.answer);
        response
            .headers_mut()
            .append(header::SET_COOKIE, completed.clear_cookie);
        response
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn sessions(&self) -> Sessions<'_> {
        Sessions {
            store: &self.store,
            config: &self.session,
            cookies: self.cookies,
            random: &*self.random,
            endings: &self.endings,
        }
    }
}

/// Answers that hold codes, tokens or claims rest in no cache (RFC 6749 5.1).
fn no_store() -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ]
}

/// A redirect after which the browser sends a GET without the body (SR-80).
fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, no_store(), [(header::LOCATION, location)]).into_response(),
        // Locations are ASCII URIs that we wrote or registered; one that isn't goes nowhere.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
