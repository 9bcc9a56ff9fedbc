//! An account, as webhooks and the APIs show it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// An account as webhooks and the APIs show it. Times that are absent or `null` are `None`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The same as the `sub` of ID tokens.
    pub id: String,
    /// The user name.
    #[serde(default)]
    pub username: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub primary_email: Option<String>,
    /// The phone number.
    #[serde(default)]
    pub primary_phone: Option<String>,
    /// The full name, for display.
    #[serde(default)]
    pub name: Option<String>,
    /// The address of a portrait.
    #[serde(default)]
    pub avatar: Option<String>,
    /// When the person last signed in.
    #[serde(default, deserialize_with = "time")]
    pub last_sign_in_at: Option<SystemTime>,
    /// When the account was made.
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<SystemTime>,
    /// When the account last changed.
    #[serde(default, deserialize_with = "time")]
    pub updated_at: Option<SystemTime>,
    /// Whether the account is suspended.
    #[serde(default)]
    pub is_suspended: bool,
    /// Whether the account has a password. Webhooks don't tell.
    #[serde(default)]
    pub has_password: Option<bool>,
    /// Everything else, such as `profile`, `customData` and `identities`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Milliseconds since 1970.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
    let milliseconds = Option::<u64>::deserialize(deserializer)?;
    Ok(milliseconds.and_then(|ms| UNIX_EPOCH.checked_add(Duration::from_millis(ms))))
}

/// The id alone: the rest is personal data.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
