//! An app, as the provider uses it.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use url::Url;

use super::super::client_keys::KeySource;
use super::redirect_uris;
use crate::config::app::{AppConfig, AppKind, IdTokenAlg};
use crate::config::authentication::AuthMethod;
use crate::home::Home;
use crate::secrets::digest_of;
use crate::store::apps::StoredApp;

/// An app as the provider uses it.
#[derive(Clone, Debug)]
pub struct App {
    pub client_id: String,
    pub name: Option<String>,
    pub kind: AppKind,
    pub(in crate::oidc) authentication: Authentication,
    pub redirect_uris: Vec<Url>,
    post_logout_redirect_uris: Vec<Url>,
    /// Where logout tokens go (OIDC Back-Channel Logout 2.2).
    pub backchannel_logout_uri: Option<Url>,
    /// Where the app begins a sign-in.
    pub sign_in_url: Option<Url>,
    pub first_party: bool,
    /// Whether the app must push its authorization requests (RFC 9126 6).
    pub requires_pushed_requests: bool,
    pub(in crate::oidc) scopes: Vec<String>,
    pub(in crate::oidc) resources: Vec<String>,
    pub id_token_alg: IdTokenAlg,
    device_flow: bool,
}

/// A registered address of an app that people may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack<'a> {
    /// Where it wants people whom it has signed out (RP-Initiated Logout 3).
    AfterSignOut(&'a Url),
    /// Where its sign-ins begin.
    SignIn(&'a Url),
}

/// How an app proves who it is.
#[derive(Clone, Debug)]
pub(in crate::oidc) enum Authentication {
    /// Not at all (RFC 6749 2.1: a public client).
    None,
    /// By a secret, which rests as a digest. Without one, nobody is the app.
    Secret { digest: Option<String>, by: SecretBy },
    /// By an assertion that a key of its own has signed.
    Keys(KeySource),
}

/// Where an app may put its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oidc) enum SecretBy {
    Basic,
    Body,
    Either,
}

impl Authentication {
    fn new(config: &AppConfig, digest: Option<String>) -> Self {
        let by = match config.token_endpoint_auth_method {
            // A secret of an app that can't keep one authenticates nobody.
            _ if !config.kind.is_confidential() => return Self::None,
            Some(AuthMethod::PrivateKeyJwt) => {
                return match (&config.jwks, &config.jwks_uri) {
                    (Some(keys), _) => Self::Keys(KeySource::Fixed(Arc::new(keys.keys().clone()))),
                    (None, Some(url)) => Self::Keys(KeySource::Published(url.clone())),
                    // Refused where apps are read (`AppConfig::problems`); here nobody is such an app.
                    (None, None) => Self::Secret {
                        digest: None,
                        by: SecretBy::Either,
                    },
                };
            }
            Some(AuthMethod::ClientSecretBasic) => SecretBy::Basic,
            Some(AuthMethod::ClientSecretPost) => SecretBy::Body,
            Some(AuthMethod::None) | None => SecretBy::Either,
        };
        Self::Secret { digest, by }
    }
}

impl App {
    /// What people are told the app is called, on every page and in every message: its name, else the host of its site,
    /// else its client id.
    pub fn display_name(&self) -> &str {
        let named = self
            .name
            .as_deref()
            .or_else(|| Home::site_among(&self.redirect_uris));
        named.unwrap_or(&self.client_id)
    }

    /// Where a person who is signed out finds the app again. A program on their own device isn't at any address.
    pub fn way_back(&self) -> Option<WayBack<'_>> {
        let is_web = |url: &&Url| matches!(url.scheme(), "http" | "https");
        if self.kind == AppKind::Native {
            return None;
        }
        let after_sign_out = self.post_logout_redirect_uris.iter().find(is_web);
        let sign_in = || self.sign_in_url.as_ref().filter(is_web).map(WayBack::SignIn);
        after_sign_out.map(WayBack::AfterSignOut).or_else(sign_in)
    }

    /// Whether `secret` is the app's. Compared by digest, in constant time.
    pub fn has_secret(&self, secret: &str) -> bool {
        let Authentication::Secret {
            digest: Some(own), ..
        } = &self.authentication
        else {
            return false;
        };
        verify_slices_are_equal(own.as_bytes(), digest_of(secret).as_bytes()).is_ok()
    }

    /// Whether the app proves who it is (RFC 6749 2.1).
    pub fn is_confidential(&self) -> bool {
        !matches!(self.authentication, Authentication::None)
    }

    /// Whether the app may sign people in on devices (RFC 8628).
    pub fn has_device_flow(&self) -> bool {
        self.device_flow && self.has_people()
    }

    /// Whether the app has people who sign in.
    pub fn has_people(&self) -> bool {
        !self.is_machine()
    }

    /// Whether the app acts for itself (RFC 6749 4.4).
    pub fn is_machine(&self) -> bool {
        self.kind == AppKind::Machine
    }

    /// Whether `asked` is a redirect URI of the app.
    pub fn allows_redirect(&self, asked: &str) -> bool {
        redirect_uris::allow(self.kind, &self.redirect_uris, asked)
    }

    /// Whether another program on the person's machine could pose as the app at a redirect URI of it: any can listen on
    /// a loopback port or register a private scheme. An https address of a native app is claimed by it alone (RFC 8252
    /// 8.6).
    pub fn can_be_posed_as(&self, redirect_uri: &str) -> bool {
        self.kind == AppKind::Native && !redirect_uri.starts_with("https://")
    }

    /// Whether `asked` is a post-logout redirect URI of the app (RP-Initiated Logout 3).
    pub fn allows_post_logout_redirect(&self, asked: &str) -> bool {
        redirect_uris::allow(self.kind, &self.post_logout_redirect_uris, asked)
    }

    /// Whether the app may ask for tokens for a resource.
    pub fn may_use(&self, indicator: &str) -> bool {
        self.resources.iter().any(|own| own == indicator)
    }

    /// Whether a scope is among the further ones of the app.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Whether pages of an origin may read answers to the app.
    pub(in crate::oidc) fn has_origin(&self, origin: &str) -> bool {
        self.origins().any(|own| own == origin)
    }

    /// The web origins of the app's redirect URIs: who may read answers in a browser.
    pub(super) fn origins(&self) -> impl Iterator<Item = String> {
        self.redirect_uris
            .iter()
            .filter(|uri| matches!(uri.scheme(), "http" | "https"))
            .map(|uri| uri.origin().ascii_serialization())
    }

    pub(super) fn new(config: AppConfig, secret_digest: Option<String>) -> Self {
        Self {
            authentication: Authentication::new(&config, secret_digest),
            client_id: config.client_id,
            name: config.name,
            kind: config.kind,
            redirect_uris: config.redirect_uris,
            post_logout_redirect_uris: config.post_logout_redirect_uris,
            backchannel_logout_uri: config.backchannel_logout_uri,
            sign_in_url: config.sign_in_url,
            first_party: config.first_party,
            requires_pushed_requests: config.require_pushed_authorization_requests,
            scopes: config.scopes,
            resources: config.resources,
            id_token_alg: config.id_token_signed_response_alg,
            device_flow: config.device_flow,
        }
    }
}

impl From<StoredApp> for App {
    fn from(stored: StoredApp) -> Self {
        Self::new(stored.config, stored.secret_digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(kind: AppKind) -> App {
        let config = serde_json::json!({ "client_id": "a", "type": kind });
        let config: AppConfig = serde_json::from_value(config).unwrap();
        App::new(config, Some(digest_of(&"s".repeat(32))))
    }

    #[test]
    fn secrets_belong_to_apps_that_can_keep_them() {
        let secret = "s".repeat(32);
        assert!(app(AppKind::Web).has_secret(&secret));
        assert!(!app(AppKind::Web).has_secret(&"t".repeat(32)));
        assert!(!app(AppKind::Spa).has_secret(&secret));
        assert!(!app(AppKind::Spa).is_confidential());
    }

    fn site(kind: AppKind, uris: &[&str]) -> App {
        App {
            redirect_uris: uris.iter().map(|uri| Url::parse(uri).unwrap()).collect(),
            ..app(kind)
        }
    }

    #[test]
    fn an_app_is_called_by_its_name_else_by_its_site_else_by_its_client_id() {
        let mut named = site(AppKind::Web, &["https://app.example/callback"]);
        named.name = Some("The App".to_owned());
        assert_eq!(named.display_name(), "The App");
        let nameless = site(
            AppKind::Web,
            &[
                "http://localhost:8080/callback",
                "https://app.example:8443/callback",
            ],
        );
        assert_eq!(nameless.display_name(), "app.example");
        for (kind, uris) in [
            (AppKind::Native, &["com.example.app:/callback"][..]),
            (AppKind::Native, &["http://127.0.0.1/callback"]),
            (AppKind::Native, &[]),
        ] {
            assert_eq!(site(kind, uris).display_name(), "a", "{uris:?}");
        }
    }

    #[test]
    fn the_way_back_to_an_app_is_one_that_it_registered() {
        let url = |text: &str| Url::parse(text).unwrap();
        let mut web = site(AppKind::Web, &["https://app.example/callback"]);
        assert_eq!(web.way_back(), None);
        web.sign_in_url = Some(url("https://app.example/sign-in"));
        let sign_in = url("https://app.example/sign-in");
        assert_eq!(web.way_back(), Some(WayBack::SignIn(&sign_in)));
        web.post_logout_redirect_uris = vec![url("com.example.app:/out"), url("https://app.example/out")];
        let out = url("https://app.example/out");
        assert_eq!(web.way_back(), Some(WayBack::AfterSignOut(&out)));
        web.kind = AppKind::Native;
        assert_eq!(
            web.way_back(),
            None,
            "nothing listens at a loopback port any more"
        );
    }
}
