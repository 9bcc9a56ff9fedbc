//! What a person is signed in with: sessions at the provider, and what apps were granted.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A session of somebody's browser at the provider.
#[derive(Clone)]
#[non_exhaustive]
pub struct BrowserSession {
    /// The session's id (`payload.uid`), by which it is ended.
    pub id: String,
    /// When the person signed in.
    pub signed_in_at: Option<SystemTime>,
    /// When it expires.
    pub expires_at: Option<SystemTime>,
    /// The client ids of the apps that the person went to with it.
    pub apps: Vec<String>,
    /// The address of the browser.
    pub ip: Option<String>,
    /// What the browser says it is.
    pub user_agent: Option<String>,
    /// Whether it is the session that the access token is of. Only the Account API tells, and not every version.
    pub is_current: Option<bool>,
}

/// What an app was granted: what its refresh tokens live by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Grant {
    /// The grant's id, by which it is revoked.
    pub id: String,
    /// The app's client id.
    pub client_id: Option<String>,
    /// When it expires.
    pub expires_at: Option<SystemTime>,
}

/// Which grants end with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevokeGrants {
    /// Those of all apps that were signed in with it: their refresh tokens die as well.
    #[default]
    All,
    /// Those of the operator's own apps.
    FirstParty,
    /// None that has `offline_access`: the refresh tokens of the apps live on.
    None,
}

impl RevokeGrants {
    /// The value of `revokeGrantsTarget`.
    pub(super) fn target(self) -> Option<&'static str> {
        match self {
            Self::All => Some("all"),
            Self::FirstParty => Some("firstParty"),
            Self::None => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawSessions {
    sessions: Vec<RawSession>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSession {
    payload: SessionPayload,
    #[serde(default)]
    last_submission: Option<Value>,
    #[serde(default)]
    expires_at: Option<u64>,
    #[serde(default)]
    is_current: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionPayload {
    uid: String,
    #[serde(default)]
    login_ts: Option<u64>,
    #[serde(default)]
    authorizations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
pub(super) struct RawGrants {
    grants: Vec<RawGrant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGrant {
    id: String,
    #[serde(default)]
    payload: Option<GrantPayload>,
    #[serde(default)]
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrantPayload {
    #[serde(default)]
    client_id: Option<String>,
}

impl RawSessions {
    pub(super) fn into_sessions(self) -> Vec<BrowserSession> {
        self.sessions.into_iter().map(BrowserSession::from).collect()
    }
}

impl RawGrants {
    pub(super) fn into_grants(self) -> Vec<Grant> {
        let grants = self.grants.into_iter();
        grants
            .map(|raw| Grant {
                id: raw.id,
                client_id: raw.payload.and_then(|payload| payload.client_id),
                expires_at: raw.expires_at.and_then(at_milliseconds),
            })
            .collect()
    }
}

impl From<RawSession> for BrowserSession {
    fn from(raw: RawSession) -> Self {
        let context = raw
            .last_submission
            .as_ref()
            .and_then(|last| last.get("signInContext"));
        let text = |name| Some(context?.get(name)?.as_str()?.to_owned());
        let apps = raw.payload.authorizations.unwrap_or_default();
        Self {
            ip: text("ip"),
            user_agent: text("userAgent"),
            id: raw.payload.uid,
            signed_in_at: raw
                .payload
                .login_ts
                .and_then(|seconds| seconds.checked_mul(1000))
                .and_then(at_milliseconds),
            expires_at: raw.expires_at.and_then(at_milliseconds),
            apps: apps.into_iter().map(|(client_id, _)| client_id).collect(),
            is_current: raw.is_current,
        }
    }
}

fn at_milliseconds(milliseconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

/// Without address and browser: they are personal data.
impl fmt::Debug for BrowserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserSession")
            .field("id", &self.id)
            .field("signed_in_at", &self.signed_in_at)
            .field("expires_at", &self.expires_at)
            .field("apps", &self.apps)
            .field("is_current", &self.is_current)
            .finish_non_exhaustive()
    }
}
