//! What the application keeps between the request and its answer.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::RedirectUrl;
use serde::{Deserialize, Serialize, Serializer};

use crate::secret::Secret;
use crate::sign_in::pkce::CodeVerifier;
use crate::sign_in::{Purpose, ReturnPath};

/// The only version of the stored form so far.
const VERSION: u8 = 1;

/// A sign-in that has begun and awaits its callback.
///
/// It holds what the answer is checked against (state, nonce, issuer, redirect URI, time) and the code
/// verifier. Keep it where only this browser brings it back: sealed into a cookie by
/// [`CookieSealer`](crate::CookieSealer), or in a server-side session. Its serialised form is versioned and holds
/// secrets. [`Client::finish`](crate::Client::finish) consumes it, and it cannot be cloned: one request has one
/// answer.
///
/// ```compile_fail,E0382
/// # async fn twice(client: keyback::Client, pending: keyback::PendingSignIn) {
/// let _ = client.finish(pending, "https://app.example/callback?code=1").await;
/// let _ = client.finish(pending, "https://app.example/callback?code=2").await;
/// # }
/// ```
#[derive(Deserialize)]
#[serde(try_from = "Stored")]
pub struct PendingSignIn {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: RedirectUrl,
    pub(crate) state: Secret,
    pub(crate) nonce: Secret,
    pub(crate) verifier: CodeVerifier,
    pub(crate) purpose: Purpose,
    pub(crate) return_path: ReturnPath,
    pub(crate) max_age: Option<Duration>,
    /// The provider promised `iss` in its answer when this began (RFC 9207 section 3).
    pub(crate) issuer_promised: bool,
    /// The provider was asked to post its answer.
    pub(crate) form_post: bool,
    pub(crate) begun_at: SystemTime,
    pub(crate) expires_at: SystemTime,
}

impl PendingSignIn {
    /// What brought the person to the provider.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Where the person wanted to go: `/` unless [`return_path`](crate::SignInBuilder::return_path) said otherwise.
    #[must_use]
    pub fn return_path(&self) -> &str {
        self.return_path.as_str()
    }

    /// When the answer comes too late.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The `state` of the request, by which a store finds this value again.
    #[must_use]
    pub fn state(&self) -> &str {
        self.state.expose()
    }
}

impl Serialize for PendingSignIn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn")
            .field("client_id", &self.client_id)
            .field("purpose", &self.purpose)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The stored form. Short names, because it has to fit a cookie.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    v: u8,
    iss: String,
    cid: String,
    uri: RedirectUrl,
    state: Secret,
    nonce: Secret,
    code: CodeVerifier,
    #[serde(default)]
    why: Purpose,
    #[serde(default)]
    to: ReturnPath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<u64>,
    #[serde(default)]
    rfc9207: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    post: bool,
    at: u64,
    exp: u64,
}

/// Why a stored value is not a pending sign-in.
#[derive(Debug, thiserror::Error)]
enum StoredError {
    #[error("the pending sign-in is of another version")]
    Version,
    #[error("the code verifier is not well formed")]
    Verifier,
    #[error("a time is out of range")]
    Time,
}

impl TryFrom<Stored> for PendingSignIn {
    type Error = StoredError;

    fn try_from(stored: Stored) -> Result<Self, StoredError> {
        if stored.v != VERSION {
            return Err(StoredError::Version);
        }
        if !stored.code.is_well_formed() {
            return Err(StoredError::Verifier);
        }
        let time = |seconds| {
            UNIX_EPOCH
                .checked_add(Duration::from_secs(seconds))
                .ok_or(StoredError::Time)
        };
        Ok(Self {
            issuer: stored.iss,
            client_id: stored.cid,
            redirect_uri: stored.uri,
            state: stored.state,
            nonce: stored.nonce,
            verifier: stored.code,
            purpose: stored.why,
            return_path: stored.to,
            max_age: stored.age.map(Duration::from_secs),
            issuer_promised: stored.rfc9207,
            form_post: stored.post,
            begun_at: time(stored.at)?,
            expires_at: time(stored.exp)?,
        })
    }
}

impl From<&PendingSignIn> for Stored {
    fn from(pending: &PendingSignIn) -> Self {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self {
            v: VERSION,
            iss: pending.issuer.clone(),
            cid: pending.client_id.clone(),
            uri: pending.redirect_uri.clone(),
            state: pending.state.clone(),
            nonce: pending.nonce.clone(),
            code: pending.verifier.clone(),
            why: pending.purpose,
            to: pending.return_path.clone(),
            age: pending.max_age.map(|age| age.as_secs()),
            rfc9207: pending.issuer_promised,
            post: pending.form_post,
            at: seconds(pending.begun_at),
            exp: seconds(pending.expires_at),
        }
    }
}
