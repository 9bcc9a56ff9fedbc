//! `[[app]]`: the applications (OAuth clients) of the file, and `[[resource]]`: the APIs they call.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use url::Url;

use super::Problems;
use super::authentication::{self, AuthMethod};
use super::client_keys::ClientKeys;
use super::entries::Entry;
use super::server::is_loopback;
use crate::oidc::RESET_CLIENT_ID;

/// The indicator of the companion's own Management API: the name that it has in every Logto one runs oneself, so that the
/// same client code asks for it here. An app that lists it may do anything with anybody's account.
pub const MANAGEMENT_API: &str = "https://default.logto.app/api";
/// The one scope of the Management API.
pub const MANAGEMENT_SCOPE: &str = "all";

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
    /// How the app proves who it is; without it, by its secret in either way, or not at all where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// The public keys of `private_key_jwt`, in the configuration itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<ClientKeys>,
    /// Where the app publishes them: fetched when needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
    #[serde(default)]
    pub redirect_uris: Vec<Url>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<Url>,
    /// Where the app is told that a session it took part in has ended (OIDC Back-Channel Logout 2.2).
    #[serde(default)]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether the app needs `sid` to know which of its sessions is meant (Back-Channel Logout 2.2). Logout tokens
    /// always have it: this says so to whoever registers the app.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    /// Where the app begins a sign-in: the end of the way of `/reset-password`.
    #[serde(default)]
    pub sign_in_url: Option<Url>,
    /// Apps of one's own need no consent. For others, people are asked what they allow (OIDC Core 3.1.2.4).
    #[serde(default = "yes")]
    pub first_party: bool,
    /// Whether the app must push its authorization requests (RFC 9126 6) and can't put them into an address.
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Further scopes beyond the standard ones.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Indicators (RFC 8707) of the resources the app may ask tokens for.
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub id_token_signed_response_alg: IdTokenAlg,
    /// Whether the app may sign people in on a device without a browser (RFC 8628).
    #[serde(default)]
    pub device_flow: bool,
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
    /// Has no person: it gets tokens for itself (RFC 6749 4.4), or is an API that asks what tokens are worth (RFC 7662).
    Machine,
}

impl AppKind {
    /// Whether the app can keep a secret or a key (RFC 6749 2.1).
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
    /// What people read on the consent page; without it, the host of the indicator.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What scopes let an app do, in words for people. A scope without words is shown as it is.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

impl ResourceConfig {
    /// An API with these scopes and no words for people.
    pub fn new(indicator: impl Into<String>, scopes: Vec<String>) -> Self {
        Self {
            indicator: indicator.into(),
            name: None,
            scopes,
            words: BTreeMap::new(),
        }
    }

    /// The companion's own Management API.
    pub(crate) fn management() -> Self {
        Self::new(MANAGEMENT_API, vec![MANAGEMENT_SCOPE.to_owned()])
    }
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

/// The rules across apps and resources.
pub(super) fn check(apps: &[AppConfig], resources: &[ResourceConfig], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for app in apps {
        let place = format!("[[app]] {}", app.client_id);
        if !seen.insert(app.client_id.as_str()) {
            problems.add(&place, "this client_id is there twice");
        }
        for problem in app.unknown_resources(resources) {
            problems.add(&place, problem);
        }
    }
}

impl Entry for AppConfig {
    const LIST: &'static str = "app";
    const ID: &'static str = "client_id";
    const REQUIRED: &'static [(&'static str, &'static [&'static str])] = &[
        ("client_id", &["app"]),
        ("type", &["spa", "web", "native", "machine"]),
    ];

    fn problems(&self) -> Vec<String> {
        let mut problems = self.problems();
        if self.client_id == RESET_CLIENT_ID {
            problems.push(
                "this client_id is the companion's own, behind /reset-password; choose another".to_owned(),
            );
        }
        problems
    }
}

impl Entry for ResourceConfig {
    const LIST: &'static str = "resource";
    const ID: &'static str = "indicator";
    const REQUIRED: &'static [(&'static str, &'static [&'static str])] =
        &[("indicator", &["https://api.example"])];

    fn problems(&self) -> Vec<String> {
        let unknown = self.words.keys().filter(|scope| !self.scopes.contains(scope));
        let mut problems: Vec<String> = unknown
            .map(|scope| format!("words speaks of the scope {scope:?}, which is not among scopes"))
            .collect();
        let absolute = Url::parse(&self.indicator).is_ok_and(|url| url.fragment().is_none());
        if !absolute {
            problems.push("indicator must be an absolute URI without a fragment (RFC 8707 2)".to_owned());
        }
        if self.indicator == MANAGEMENT_API {
            problems.push(
                "this is the companion's own Management API, which is there unasked; list it in resources of a \
                 machine app"
                    .to_owned(),
            );
        }
        problems
    }
}

impl AppConfig {
    /// A first-party app with the defaults of an `[[app]]`.
    pub fn new(client_id: impl Into<String>, kind: AppKind) -> Self {
        Self {
            client_id: client_id.into(),
            name: None,
            kind,
            client_secret: None,
            token_endpoint_auth_method: None,
            jwks: None,
            jwks_uri: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            sign_in_url: None,
            first_party: true,
            require_pushed_authorization_requests: false,
            scopes: Vec::new(),
            resources: Vec::new(),
            id_token_signed_response_alg: IdTokenAlg::default(),
            device_flow: false,
        }
    }

    /// What is wrong with an app, whether it comes from the file or from `keyback app add`.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let id_is_fit = !self.client_id.is_empty()
            && self.client_id.len() <= 100
            && self
                .client_id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !id_is_fit {
            problems.push("client_id must be 1 to 100 letters, digits, - _ or .".to_owned());
        }
        if self.name.iter().any(|name| name.chars().any(char::is_control)) {
            problems.push(
                "name holds a control character, as a line break; it stands in one line of pages and mails"
                    .to_owned(),
            );
        }
        problems.extend(authentication::problems(self));
        if self.device_flow && !matches!(self.kind, AppKind::Web | AppKind::Native) {
            problems.push("device_flow is for native and web apps".to_owned());
        }
        if self.kind != AppKind::Machine && self.redirect_uris.is_empty() && !self.device_flow {
            problems.push("redirect_uris is empty; name the app's callback".to_owned());
        }
        let uris = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        problems.extend(uris.filter_map(|uri| self.redirect_problem(uri)));
        if let Some(url) = &self.sign_in_url
            && url.scheme() != "https"
            && !(url.scheme() == "http" && is_loopback(url))
        {
            problems.push("sign_in_url must be https (plain http on loopback only)".to_owned());
        }
        if self.kind != AppKind::Machine && self.resources.iter().any(|own| own == MANAGEMENT_API) {
            problems.push(format!(
                "{MANAGEMENT_API:?} in resources is for machine apps: who signs in must not act on all accounts"
            ));
        }
        problems.extend(self.logout_problem());
        problems
    }

    /// Back-Channel Logout 2.2: an absolute URI without a fragment. The logout token names a person, so it travels
    /// encrypted.
    fn logout_problem(&self) -> Option<String> {
        let Some(uri) = &self.backchannel_logout_uri else {
            return self.backchannel_logout_session_required.then(|| {
                "backchannel_logout_session_required says something of backchannel_logout_uri, which is missing"
                    .to_owned()
            });
        };
        let secure = uri.scheme() == "https" || (uri.scheme() == "http" && is_loopback(uri));
        let problem = if self.kind == AppKind::Machine {
            "is not for machine apps: nobody signs in there"
        } else if !secure {
            "must be https (plain http on loopback only)"
        } else if uri.fragment().is_some() {
            "must have no fragment (OIDC Back-Channel Logout 2.2)"
        } else if !uri.username().is_empty() || uri.password().is_some() {
            "must hold no user name and no password"
        } else {
            return None;
        };
        Some(format!("backchannel_logout_uri {problem}"))
    }

    /// Resources of the app that are not in the configuration.
    pub fn unknown_resources(&self, resources: &[ResourceConfig]) -> Vec<String> {
        let unknown = self
            .resources
            .iter()
            .filter(|own| *own != MANAGEMENT_API)
            .filter(|own| !resources.iter().any(|known| known.indicator == **own));
        unknown
            .map(|indicator| format!("there is no [[resource]] with the indicator {indicator:?}"))
            .collect()
    }

    fn redirect_problem(&self, uri: &Url) -> Option<String> {
        let plain_http = uri.scheme() == "http" && !is_loopback(uri);
        let wildcard = uri.host_str().is_some_and(|host| host.contains('*'));
        let private_scheme = !matches!(uri.scheme(), "http" | "https");
        if uri.fragment().is_some() {
            Some(format!("{uri} must have no fragment (RFC 6749 3.1.2)"))
        } else if wildcard {
            Some(format!(
                "{uri} has a wildcard: redirect URIs match as text (RFC 9700 2.1); write each out"
            ))
        } else if plain_http {
            Some(format!("{uri} must be https (plain http on loopback only)"))
        } else if matches!(uri.scheme(), "javascript" | "data" | "file" | "vbscript" | "blob") {
            Some(format!("{uri} has a scheme that nobody may be redirected to"))
        } else if private_scheme && self.kind != AppKind::Native {
            Some(format!(
                "{uri}: only native apps have schemes of their own (RFC 8252 7.1)"
            ))
        } else {
            None
        }
    }
}

fn yes() -> bool {
    true
}
