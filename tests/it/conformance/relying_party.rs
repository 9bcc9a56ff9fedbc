//! A relying party that knows the specifications and nothing of Keyback: what a conformance suite is.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyback_companion::config::Config;
use keyback_companion::config::app::{AppConfig, AppKind, IdTokenAlg, Secret};
use keyback_tests::{ADA, Browser, OLD_PASSWORD, Page, TestApp};
use serde_json::Value;
use url::Url;

pub(super) const CLIENT_ID: &str = "conformance";
pub(super) const CLIENT_SECRET: &str = "a-secret-of-the-conformance-client";
const STATE: &str = "s&t=a te";
const NONCE: &str = "nonce-of-the-suite";

/// How the answers of the authorization endpoint travel: the Form Post plan is the Basic plan with another mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    FormPost,
}

/// The answer of the authorization endpoint.
pub(super) type Answer = HashMap<String, String>;

/// A provider with one account and the client of the suite, and a browser that walks between them.
pub(super) struct Suite {
    pub(super) app: TestApp,
    pub(super) browser: Browser,
    pub(super) mode: Mode,
    http: reqwest::Client,
}

impl Suite {
    pub(super) async fn start(mode: Mode) -> Self {
        Self::with(mode, |_, _| {}).await
    }

    pub(super) async fn with(mode: Mode, change: impl FnOnce(&mut Config, &mut AppConfig)) -> Self {
        let app = TestApp::with(|config| {
            let site = config.apps[0].redirect_uris[0].clone();
            let mut client = AppConfig {
                name: Some("The conformance suite".to_owned()),
                client_secret: Some(Secret::new(CLIENT_SECRET)),
                redirect_uris: vec![site.clone()],
                post_logout_redirect_uris: vec![site.join("/?signed=out").unwrap()],
                id_token_signed_response_alg: IdTokenAlg::RS256,
                ..AppConfig::new(CLIENT_ID, AppKind::Web)
            };
            change(config, &mut client);
            config.apps.push(client);
        })
        .await;
        let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
        super::person::complete(&app, &id).await;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .resolve("localhost", std::net::SocketAddr::from(([127, 0, 0, 1], 0)))
            .build()
            .unwrap();
        Self {
            browser: app.browser(),
            app,
            mode,
            http,
        }
    }

    pub(super) fn issuer(&self) -> String {
        self.app.companion.provider.issuer().to_owned()
    }

    pub(super) fn callback(&self) -> String {
        self.app.site.at("/callback")
    }

    pub(super) fn post_logout(&self) -> String {
        self.app.site.at("/?signed=out")
    }

    /// The request of the suite, with parameters added, replaced, or (empty) left out.
    pub(super) fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let callback = self.callback();
        let mut parameters = vec![
            ("client_id", CLIENT_ID),
            ("redirect_uri", &callback),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", STATE),
            ("nonce", NONCE),
        ];
        if self.mode == Mode::FormPost {
            parameters.push(("response_mode", "form_post"));
        }
        parameters.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        parameters.into_iter().map(owned).collect()
    }

    /// The same as a request object that is not signed (OIDC Core 6.1).
    pub(super) fn request_object(&self, changes: &[(&str, &str)]) -> String {
        let members: serde_json::Map<_, _> = self
            .request(changes)
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        let payload = URL_SAFE_NO_PAD.encode(Value::from(members).to_string());
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        format!("{header}.{payload}.")
    }

    fn request_url(&self, changes: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&format!("{}/auth", self.issuer())).unwrap();
        url.query_pairs_mut().extend_pairs(self.request(changes));
        url
    }

    /// Sends the browser with a request; it stops where a person must do something, or at the answer.
    pub(super) async fn begin(&mut self, changes: &[(&str, &str)]) -> &Page {
        let url = self.request_url(changes);
        self.browser.open(url.as_str()).await
    }

    /// Sends the browser, signs in where it is asked to, and reads the answer.
    pub(super) async fn authorize(&mut self, changes: &[(&str, &str)]) -> Answer {
        self.begin(changes).await;
        if self.browser.page().url.path() == "/sign-in" {
            self.browser.sign_in(ADA, OLD_PASSWORD).await;
        }
        self.answer()
    }

    /// The same, where nobody may be asked anything.
    pub(super) async fn authorize_silently(&mut self, changes: &[(&str, &str)]) -> Answer {
        self.begin(changes).await;
        self.answer()
    }

    /// The answer that the browser brings: in the query of the callback, or in the form that goes there.
    pub(super) fn answer(&self) -> Answer {
        let page = self.browser.page();
        let answer: Answer = match self.mode {
            Mode::Query => {
                assert_eq!(page.url.path(), "/callback", "{}", page.text());
                page.url.query_pairs().into_owned().collect()
            }
            Mode::FormPost => {
                // OAuth 2.0 Form Post Response Mode 2: a form at our own address that posts to the client.
                assert_eq!(page.url.origin(), self.app.url.origin());
                assert_eq!(page.status, 200, "{}", page.text());
                let [form] = page.forms().try_into().unwrap();
                assert_eq!(form.action.as_str(), self.callback());
                assert!(page.url.query_pairs().all(|(name, _)| name != "code"));
                form.fields.into_iter().collect()
            }
        };
        // RFC 9207 2: in errors too.
        assert_eq!(answer["iss"], self.issuer());
        answer
    }

    /// A whole sign-in: the answer's code becomes tokens.
    pub(super) async fn sign_in(&mut self, changes: &[(&str, &str)]) -> Value {
        let answer = self.authorize(changes).await;
        assert_eq!(answer.get("state").map(String::as_str), Some(STATE), "{answer:?}");
        self.tokens(&answer["code"]).await
    }

    /// Exchanges a code (RFC 6749 4.1.3), authenticating by HTTP Basic.
    pub(super) async fn exchange(&self, code: &str) -> (u16, Value) {
        let callback = self.callback();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
        ];
        self.token(&form).await
    }

    pub(super) async fn tokens(&self, code: &str) -> Value {
        let (status, tokens) = self.exchange(code).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// Asks the token endpoint, authenticating by HTTP Basic.
    pub(super) async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        self.post("token", form, true).await
    }

    /// Posts a form to an endpoint of the provider.
    pub(super) async fn post(&self, endpoint: &str, form: &[(&str, &str)], by_basic: bool) -> (u16, Value) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = self
            .http
            .post(format!("{}/{endpoint}", self.issuer()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if by_basic {
            let credentials = STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        // RFC 6749 5.1.
        assert_eq!(response.headers()["cache-control"], "no-store", "{endpoint}");
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Userinfo by GET, with the token in the header.
    pub(super) async fn user_info(&self, access_token: &str) -> (u16, Value) {
        self.bearer(self.http.get(format!("{}/me", self.issuer())), access_token)
            .await
    }

    /// Userinfo by POST, with the token in the header.
    pub(super) async fn user_info_by_post(&self, access_token: &str) -> (u16, Value) {
        self.bearer(self.http.post(format!("{}/me", self.issuer())), access_token)
            .await
    }

    async fn bearer(&self, request: reqwest::RequestBuilder, access_token: &str) -> (u16, Value) {
        let request = request.header("authorization", format!("Bearer {access_token}"));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A public document of the provider.
    pub(super) async fn document(&self, path: &str) -> Value {
        let response = self
            .http
            .get(format!("{}{path}", self.issuer()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// The claims of an ID token, once everything that OIDC Core 3.1.3.7 asks was checked.
    pub(super) async fn id_token(&self, tokens: &Value) -> Value {
        let token = tokens["id_token"].as_str().unwrap();
        let claims = self.verified(token, "JWT").await;
        assert_eq!(claims["aud"], CLIENT_ID);
        assert!(claims["exp"].as_u64().unwrap() > claims["iat"].as_u64().unwrap());
        let access_token = tokens["access_token"].as_str().unwrap();
        let hash = digest(&SHA256, access_token.as_bytes());
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        claims
    }

    /// The claims of a JWT that is signed with a key of the provider's set by RS256.
    pub(super) async fn verified(&self, token: &str, typ: &str) -> Value {
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let part =
            |text: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap() };
        let head = part(header);
        assert_eq!(head["alg"], "RS256");
        assert_eq!(head["typ"], typ);
        let keys = self.document("/jwks").await;
        let keys = keys["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == head["kid"]).unwrap();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let public = RsaPublicKeyComponents {
            n: number("n"),
            e: number("e"),
        };
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap();
        let claims = part(payload);
        assert_eq!(claims["iss"], self.issuer());
        claims
    }
}
