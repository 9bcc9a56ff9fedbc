//! `[[webhook]]`: who is told of what happens to accounts.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer};
use url::{Host, Url};

use super::Problems;
use super::app::Secret;
use super::entries::Entry;
use crate::outgoing::is_public;

/// The least a signing key may have: 128 bits as hexadecimal digits.
const LEAST_KEY: usize = 32;
/// One key that signs, and one that comes or goes.
const MOST_KEYS: usize = 2;

/// A webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    pub url: Url,
    #[serde(default = "resets")]
    pub events: Vec<WebhookEvent>,
    /// One key, or two while one takes the other's place: the first alone signs where there is room for one signature.
    #[serde(deserialize_with = "one_or_many", default)]
    pub signing_key: Vec<Secret>,
    /// Whether the target may be a private or loopback address, and plain http.
    #[serde(default)]
    pub allow_private: bool,
}

/// What a webhook can be told of. The names are Logto's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum WebhookEvent {
    /// A password was set by a reset.
    PostResetPassword,
    /// An account was changed: its password, by a reset, on the account page or over an API, or its data over the
    /// Management API.
    #[serde(rename = "User.Data.Updated")]
    UserDataUpdated,
    /// An account was made over the Management API or at the command line. Not by an import.
    #[serde(rename = "User.Created")]
    UserCreated,
    /// An account was suspended, or the suspension was lifted, over the Management API or at the command line.
    #[serde(rename = "User.SuspensionStatus.Updated")]
    UserSuspensionUpdated,
    /// An account was deleted over the Management API.
    #[serde(rename = "User.Deleted")]
    UserDeleted,
}

impl WebhookEvent {
    pub const ALL: [Self; 5] = [
        Self::PostResetPassword,
        Self::UserDataUpdated,
        Self::UserCreated,
        Self::UserSuspensionUpdated,
        Self::UserDeleted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostResetPassword => "PostResetPassword",
            Self::UserDataUpdated => "User.Data.Updated",
            Self::UserCreated => "User.Created",
            Self::UserSuspensionUpdated => "User.SuspensionStatus.Updated",
            Self::UserDeleted => "User.Deleted",
        }
    }
}

/// The rules across webhooks.
pub(super) fn check(webhooks: &[WebhookConfig], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (index, hook) in webhooks.iter().enumerate() {
        if !seen.insert(hook.url.as_str()) {
            problems.add(
                format!("[[webhook]] {}", hook.target(index)),
                "this url is there twice; name all events in one place",
            );
        }
    }
}

impl WebhookConfig {
    /// Which one it is, for those who read of it: its origin and its place in the file. Path and query may be a secret, as
    /// they are with many services that take webhooks.
    pub fn target(&self, index: usize) -> String {
        target(&self.url, index)
    }
}

fn target(url: &Url, index: usize) -> String {
    format!("{} (number {})", url.origin().ascii_serialization(), index + 1)
}

impl Entry for WebhookConfig {
    const LIST: &'static str = "webhook";
    const ID: &'static str = "url";
    const REQUIRED: &'static [(&'static str, &'static [&'static str])] =
        &[("url", &["https://webhook.example/"])];

    fn shown(url: &str, index: usize) -> Option<String> {
        Some(target(&Url::parse(url).ok()?, index))
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let address = match self.url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) | None => None,
        };
        match self.url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => problems
                .push("url must be https; plain http only with allow_private, within your own network"),
        }
        if !self.allow_private && address.is_some_and(|address| !is_public(address)) {
            problems.push("url leads to a private address; if that is meant, set allow_private = true");
        }
        if !self.url.username().is_empty() || self.url.password().is_some() || self.url.fragment().is_some() {
            problems.push("url must hold no user name, password or fragment: deliveries are signed");
        }
        if self.events.is_empty() {
            problems.push("events is empty; name what is told, such as \"PostResetPassword\"");
        }
        if self.signing_key.is_empty() {
            problems.push("signing_key (or signing_key_file) is missing; `openssl rand -hex 32` makes one");
        }
        if self.signing_key.len() > MOST_KEYS {
            problems
                .push("signing_key may hold two keys: the one that signs, and the one that comes or goes");
        }
        if self.signing_key.iter().any(|key| key.expose().len() < LEAST_KEY) {
            problems.push("signing_key must have at least 32 characters; `openssl rand -hex 32` makes one");
        }
        problems.into_iter().map(str::to_owned).collect()
    }
}

fn resets() -> Vec<WebhookEvent> {
    vec![WebhookEvent::PostResetPassword]
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a key, or a list of keys")]
    enum OneOrMany {
        One(Secret),
        Many(Vec<Secret>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(key) => vec![key],
        OneOrMany::Many(keys) => keys,
    })
}
