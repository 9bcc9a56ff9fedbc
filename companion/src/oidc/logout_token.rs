//! Logout tokens (OIDC Back-Channel Logout 2.4).

use std::time::Duration;

use keyback_core::time::Timestamp;
use serde_json::json;

use super::Provider;
use super::error::Failure;
use super::registry::App;
use crate::secrets::random_id;

/// Back-Channel Logout 4 advises two minutes at most: a token is made anew for each try.
const LIFE: Duration = Duration::from_secs(120);
/// The one member of `events`.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Tells it from an ID token (RFC 8725 3.11), as the missing `nonce` and `auth_time` do.
const TYP: &str = "logout+jwt";

impl Provider {
    /// A logout token for `app`: the session `sid` of `user_id` has ended. Signed as the app's ID tokens are, with
    /// an id (`jti`) that no other token has.
    pub async fn logout_token(
        &self,
        app: &App,
        user_id: &str,
        sid: &str,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let inner = &*self.0;
        let claims = json!({
            "iss": inner.issuer,
            "sub": user_id,
            "aud": app.client_id,
            "iat": now.as_secs(),
            "exp": (now + LIFE).as_secs(),
            "jti": random_id(&*inner.random),
            "sid": sid,
            "events": { EVENT: {} },
        });
        let ring = inner.keys.ring(now).await;
        ring.sign(app.id_token_alg, TYP, &claims, now)
    }
}
