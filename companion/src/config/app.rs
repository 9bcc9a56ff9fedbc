//! `[[app]]`: the applications (OAuth clients) of the file, and `[[resource]]`: the APIs they call.

use serde::{Deserialize, Serialize};
use url::Url;

/// An application: a client of RFC 6749.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    pub client_id: String,
    /// The name people see on the pages and in mails.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: AppKind,
    /// At least 32 characters, for `web` and `machine`; rests as SHA-256 once read.
    #[serde(default, skip_serializing)]
    pub client_secret: Option<Secret>,
    #[serde(default)]
    pub redirect_uris: Vec<Url>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<Url>,
    #[serde(default)]
    pub backchannel_logout_uri: Option<Url>,
    /// Where the app begins a sign-in: the end of the way of `/reset-password`.
    #[serde(default)]
    pub sign_in_url: Option<Url>,
    /// Apps of one's own ask for no consent.
    #[serde(default = "yes")]
    pub first_party: bool,
    /// Further scopes beyond the standard ones.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Indicators (RFC 8707) of the resources the app may ask tokens for.
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub id_token_signed_response_alg: IdTokenAlg,
}

/// What kind of program an app is (RFC 6749 2.1, RFC 8252).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AppKind {
    /// Runs on a server and keeps a secret.
    Web,
    /// Runs in the browser.
    Spa,
    /// Runs on the person's machine; loopback redirects may have any port (RFC 8252 7.3).
    Native,
    /// Has no person: client credentials alone.
    Machine,
}

impl AppKind {
    /// Whether the app authenticates with a secret (RFC 6749 2.1).
    pub fn is_confidential(self) -> bool {
        matches!(self, Self::Web | Self::Machine)
    }
}

/// The signature of an app's ID tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum IdTokenAlg {
    #[default]
    ES384,
    RS256,
}

/// `[[resource]]`: an API (RFC 8707) that gets JWT access tokens (RFC 9068).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceConfig {
    pub indicator: String,
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// A secret of the configuration: wiped when dropped, never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Mind where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

fn yes() -> bool {
    true
}
