//! A web site that people sign in to: its routes and cookies, on types of the `http` crate, for any framework.

#[cfg(feature = "axum")]
mod axum;
mod builder;
mod callback;
mod guard;
#[cfg(feature = "tower")]
mod layer;
mod pages;
mod routes;
mod used;
mod visit;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

#[cfg(feature = "axum")]
pub use self::axum::NotSignedIn;
pub use self::builder::{Paths, SiteBuilder};
#[cfg(feature = "tower")]
pub use self::layer::SiteService;
use self::used::Used;
pub use self::visit::Visit;
use crate::client::Client;
use crate::detached;
use crate::error::Error;
use crate::logto::webhook::{Delivery, DeliveryStore, WebhookReceiver};
use crate::sessions::{Revocation, Sessions, TokenStore};
use crate::sign_in::{CookieSealer, SignInBuilder};

type Asking = dyn Fn(SignInBuilder) -> SignInBuilder + Send + Sync;
type Listener = dyn Fn(&Delivery) + Send + Sync;
type Explaining = dyn Fn(&Error) -> http::Response<Bytes> + Send + Sync;
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
type Spawning = dyn Fn(Work) + Send + Sync;

/// A web site that people sign in to. It answers the routes below itself, and tells who is signed in on all others.
///
/// | route | |
/// |---|---|
/// | `GET /sign-in?return_to=/path` | to the provider |
/// | `GET /forgot-password` | to its reset page; whoever is signed in stays so |
/// | the path of the redirect URI | back from the provider |
/// | `POST /sign-out` | ends the session here, then at the provider |
/// | `POST /backchannel-logout` | the provider tells of sessions that have ended |
/// | `POST /webhooks` | ends a person's sessions after a reset; with [`webhooks`](SiteBuilder::webhooks) only |
///
/// Sessions are kept in the browser's cookies, encrypted, or in a [store](SiteBuilder::store).
///
/// **What the default forgets.** Which sessions have ended is remembered in memory, by
/// [`MemoryLogouts`](crate::MemoryLogouts). After a restart, whoever has an old cookie is signed in by it again, until the
/// session expires: after a sign-out, a back-channel logout and a reset alike. A store mends it for sign-outs here, where the
/// session is removed; what the provider has ended is known to the registry alone. A site that is more than a trial needs a
/// [registry](SiteBuilder::logout_registry) that lasts: [`FileLogouts`](crate::FileLogouts) for one process, a table of a database for several.
///
/// **Several replicas** need one registry that all share, and one of two: a store that they share as well, or, with cookies,
/// a balancer that sends a browser to the same replica each time. Else two of them use one refresh token, for which
/// providers end the session.
///
/// With the feature `tower` it is a layer over any service of `http` types, and with `axum`, [`SignedIn`](crate::SignedIn)
/// and `Option<SignedIn>` are extractors:
///
/// ```
/// # #[cfg(feature = "axum")]
/// # mod with_axum {
/// use keyback::{Client, Error, SignedIn, Site};
///
/// async fn orders(person: SignedIn) -> String {
///     format!("Orders of {}", person.subject()) // others are sent to sign in, and come back here
/// }
///
/// fn app(client: Client, secret: [u8; 32]) -> Result<axum::Router, Error> {
///     let site = Site::builder(client, secret).build()?;
///     Ok(axum::Router::new().route("/orders", axum::routing::get(orders)).layer(site))
/// }
/// # }
/// ```
///
/// Elsewhere, [`answer`](Self::answer) takes a request and [`visit`](Self::visit) its headers:
///
/// ```
/// use keyback::{Error, Site, bytes::Bytes, http};
///
/// async fn serve(site: &Site, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
///     if let Some(answer) = site.answer(&request).await {
///         return Ok(answer); // one of the routes above
///     }
///     let visit = site.visit(request.headers());
///     let words = match visit.signed_in().await? {
///         Some(person) => format!("Hello, {}", person.subject()),
///         None => "Hello, stranger".to_owned(),
///     };
///     let mut response = http::Response::new(Bytes::from(words));
///     visit.finish(response.headers_mut()); // refreshed tokens travel in cookies
///     Ok(response)
/// }
/// ```
///
/// Another site can start nothing here but a sign-in that its visitor sees, and end nothing: sign-in and callback answer
/// to navigations alone, sign-out to a form of this site alone. Each sign-in has a cookie of its own, which is gone before
/// the code is exchanged; each callback is taken once.
#[derive(Clone)]
pub struct Site {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    sealer: CookieSealer,
    sessions: Sessions,
    /// Whether sessions are kept in cookies, and not in a store.
    in_cookies: bool,
    lifetime: Duration,
    paths: Paths,
    asking: Option<Box<Asking>>,
    webhooks: Option<WebhookReceiver>,
    on_webhook: Option<Box<Listener>>,
    explaining: Option<Box<Explaining>>,
    spawning: Option<Box<Spawning>>,
    used: Used,
    deliveries: Arc<dyn DeliveryStore>,
}

impl Site {
    /// Begins to describe a site. `secret` is what its cookies are sealed with: 32 random bytes or more, the same on every
    /// replica and after every restart.
    pub fn builder(client: Client, secret: impl AsRef<[u8]>) -> SiteBuilder {
        SiteBuilder::new(client, secret.as_ref())
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The sessions, for what happens outside of a request. Those that are kept in cookies can only be
    /// [ended](Sessions::end_all_of) here: what a request may do with them, [`visit`](Self::visit) tells.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    /// Whose request this is.
    #[must_use]
    pub fn visit(&self, headers: &HeaderMap) -> Visit {
        Visit::new(self.clone(), headers)
    }

    fn paths(&self) -> &Paths {
        &self.inner.paths
    }

    /// The address of a path of this site.
    fn address(&self, path: &str) -> String {
        let mut url = self.client().redirect_uri().clone();
        url.set_query(None);
        url.set_path(path);
        url.into()
    }

    /// Revokes without making anybody wait.
    async fn revoke(&self, revocation: Revocation) {
        let work: Work = Box::pin(async move {
            if let Err(error) = revocation.run().await {
                tracing::info!(code = error.code(), "a refresh token was not revoked: {error}");
            }
        });
        match &self.inner.spawning {
            Some(spawn) => spawn(work),
            None => detached::begin(work).await,
        }
    }

    fn has_own_store(&self) -> bool {
        !self.inner.in_cookies
    }

    fn sessions_in(&self, store: Arc<dyn TokenStore>) -> Sessions {
        self.inner.sessions.with_store(store)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("client", &self.inner.client)
            .field("paths", &self.inner.paths)
            .finish_non_exhaustive()
    }
}
