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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problems_of(more: &Value) -> Vec<String> {
        let mut app = json!({ "client_id": "a", "type": "web", "redirect_uris": ["https://a.example/cb"] });
        for (name, value) in more.as_object().unwrap() {
            app[name] = value.clone();
        }
        let app: AppConfig = serde_json::from_value(app).unwrap();
        problems(&app)
    }

    #[test]
    fn oidc_core_9_an_app_has_what_its_method_asks_for_and_nothing_else() {
        let secret = "s".repeat(32);
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let keys = json!({ "keys": [key] });
        let (method, uri) = ("token_endpoint_auth_method", "https://a.example/jwks.json");
        for good in [
            json!({ "client_secret": secret }),
            json!({ "client_secret": secret, method: "client_secret_post" }),
            json!({ method: "private_key_jwt", "jwks": keys }),
            json!({ method: "private_key_jwt", "jwks": keys.to_string() }),
            json!({ method: "private_key_jwt", "jwks_uri": uri }),
            json!({ method: "private_key_jwt", "jwks_uri": "http://127.0.0.1:8080/jwks" }),
            json!({ "type": "spa" }),
            json!({ "type": "native", method: "none" }),
        ] {
            assert_eq!(problems_of(&good), [""; 0], "{good}");
        }
        for (bad, word) in [
            (json!({}), "client_secret (or client_secret_file) is missing"),
            (json!({ "client_secret": "short" }), "at least 32"),
            (
                json!({ "client_secret": secret, method: "none" }),
                "for spa and native",
            ),
            (
                json!({ "type": "spa", method: "client_secret_basic" }),
                "can't keep",
            ),
            (json!({ "type": "native", "client_secret": secret }), "can't keep"),
            (
                json!({ "type": "spa", method: "private_key_jwt", "jwks": keys }),
                "can't keep",
            ),
            (
                json!({ method: "private_key_jwt" }),
                "needs the app's public keys",
            ),
            (
                json!({ method: "private_key_jwt", "jwks": keys, "jwks_uri": uri }),
                "one of both",
            ),
            (
                json!({ method: "private_key_jwt", "jwks": keys, "client_secret": secret }),
                "remove client_secret",
            ),
            (json!({ "client_secret": secret, "jwks": keys }), "go with"),
            (
                json!({ method: "private_key_jwt", "jwks_uri": "http://a.example/jwks" }),
                "must be https",
            ),
        ] {
            let found = problems_of(&bad);
            assert!(found.len() == 1 && found[0].contains(word), "{bad}: {found:?}");
        }
    }
}
