//! How apps prove who they are: the methods, and which fit what kind of app.

use serde::{Deserialize, Serialize};

use super::app::AppConfig;
use super::server::is_loopback;

/// How an app authenticates (OIDC Core 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// The secret, by HTTP Basic (RFC 6749 2.3.1).
    ClientSecretBasic,
    /// The secret, in the body.
    ClientSecretPost,
    /// An assertion signed by a key of the app's own (RFC 7523 2.2).
    PrivateKeyJwt,
    /// Not at all: an app that can't keep a secret.
    None,
}

impl AppConfig {
    /// Whether the app authenticates with keys of its own in place of a secret.
    pub fn has_keys(&self) -> bool {
        self.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt)
    }
}

/// What is wrong with how an app is to authenticate.
pub(super) fn problems(app: &AppConfig) -> Vec<String> {
    let has_keys = app.has_keys();
    let confidential = app.kind.is_confidential();
    let mut problems = Vec::new();
    let mut problem = |text: &str| problems.push(text.to_owned());
    match (app.token_endpoint_auth_method, confidential) {
        (Some(AuthMethod::None), true) => {
            problem("token_endpoint_auth_method = \"none\" is for spa and native apps");
        }
        (Some(method), false) if method != AuthMethod::None => {
            problem(
                "token_endpoint_auth_method is \"none\" for spa and native apps: they can't keep a secret",
            );
        }
        _ => {}
    }
    match &app.client_secret {
        Some(_) if !confidential => {
            problem("client_secret is not for spa and native apps: they can't keep one");
        }
        Some(_) if has_keys => {
            problem("remove client_secret: with private_key_jwt it would open nothing");
        }
        Some(secret) if secret.expose().len() < 32 => {
            problem("client_secret must have at least 32 characters");
        }
        None if confidential && !has_keys => {
            problem("client_secret (or client_secret_file) is missing");
        }
        Some(_) | None => {}
    }
    match (&app.jwks, &app.jwks_uri) {
        (Some(_), _) | (_, Some(_)) if !has_keys => {
            problem("jwks and jwks_uri go with token_endpoint_auth_method = \"private_key_jwt\"");
        }
        (Some(_), Some(_)) => problem("give jwks (or jwks_file) or jwks_uri: one of both"),
        (None, None) if has_keys => {
            problem("private_key_jwt needs the app's public keys: jwks, jwks_file or jwks_uri");
        }
        (None, Some(url)) if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) => {
            problem("jwks_uri must be https (plain http on loopback only)");
        }
        _ => {}
    }
    problems
}
