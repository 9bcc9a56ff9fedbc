//! `/reset-password` is a relying party of the companion's own provider, by the same SDK as anybody's.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use keyback::{Client, CookieSealer, HttpTransport, Provider, RandomError, TransportError, TransportFuture};
use keyback_core::random::Random;
use keyback_core::time::Clock;
use tower::ServiceExt as _;
use url::Url;

use crate::secrets::{Purpose, RootKeys};

use crate::oidc::RESET_CLIENT_ID;

/// The provider's own answers are small.
const MOST_BYTES: usize = 1024 * 1024;

/// The SDK's client, and what seals its pending sign-ins into cookies.
pub struct RelyingParty {
    pub client: Client,
    pub sealer: CookieSealer,
}

impl RelyingParty {
    pub fn new(
        public_url: &Url,
        transport: InProcess,
        root_keys: &RootKeys,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Result<Self, keyback::Error> {
        let origin = public_url.origin().ascii_serialization();
        let client = Client::builder(format!("{origin}/oidc"), RESET_CLIENT_ID)
            .redirect_uri(format!("{origin}/reset-password/callback"))
            .provider(Provider::Keyback)
            // It wants to know who came back, and nothing of them afterwards.
            .without_reserved_scopes()
            .http(Arc::new(transport))
            .clock(Arc::new(SharedClock(Arc::clone(clock))))
            .random(Arc::new(SharedRandom(Arc::clone(random))))
            .build()?;
        let keys = root_keys.derive(Purpose::PendingSignIns);
        let sealer = CookieSealer::new(keys.first.key.as_ref())?;
        let sealer = keys
            .older
            .iter()
            .try_fold(sealer, |sealer, older| sealer.and_opens(older.key.as_ref()))?;
        Ok(Self { client, sealer })
    }
}

/// The SDK's HTTP port over the provider in the same process: no network, no name look-up, no TLS.
pub struct InProcess {
    router: Router,
    origin: String,
}

impl InProcess {
    pub fn new(router: Router, public_url: &Url) -> Self {
        Self {
            router,
            origin: public_url.origin().ascii_serialization(),
        }
    }

    async fn ask(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        // What isn't ours is not asked: this transport must not become a way out.
        if !request
            .uri()
            .to_string()
            .starts_with(&format!("{}/", self.origin))
        {
            return Err(TransportError::other(NotOurs));
        }
        let response = self
            .router
            .clone()
            .oneshot(request.map(Body::from))
            .await
            .unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MOST_BYTES)
            .collect()
            .await
            .map_err(|_| TransportError::TooLarge { limit: MOST_BYTES })?;
        Ok(http::Response::from_parts(parts, body.to_bytes()))
    }
}

impl HttpTransport for InProcess {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(self.ask(request))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the request is not for the own provider")]
struct NotOurs;

/// The companion's clock, as the SDK asks for it.
struct SharedClock(Arc<dyn Clock>);

impl keyback::Clock for SharedClock {
    fn now(&self) -> SystemTime {
        let millis = u64::try_from(self.0.now().as_millis()).unwrap_or(0);
        UNIX_EPOCH + Duration::from_millis(millis)
    }
}

/// The companion's random source, as the SDK asks for it.
struct SharedRandom(Arc<dyn Random>);

impl keyback::Random for SharedRandom {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(destination);
        Ok(())
    }
}
