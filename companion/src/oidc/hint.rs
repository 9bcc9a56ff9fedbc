//! `id_token_hint`: an ID token that this provider gave, expired or not.

use serde::Deserialize;

use super::key_ring::KeyRing;

/// What a hint says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct HintClaims {
    iss: String,
    pub(super) sub: String,
    /// The one app it was given to: our ID tokens have one audience.
    pub(super) aud: String,
    #[serde(default)]
    pub(super) sid: Option<String>,
    /// Access tokens for an API are signed by the same keys, and have none.
    auth_time: i64,
    #[serde(default)]
    client_id: Option<String>,
}

/// Reads a hint, if our signature is on it and it is an ID token. Its age doesn't matter (RP-Initiated Logout 2).
pub(super) fn read(ring: &KeyRing, issuer: &str, token: &str) -> Option<HintClaims> {
    let claims: HintClaims = ring.open(token)?;
    (claims.iss == issuer && claims.client_id.is_none() && claims.auth_time >= 0).then_some(claims)
}
