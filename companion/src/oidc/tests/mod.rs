//! The provider through its router, over a store in a file, with a clock that stands still.

mod authorize;
mod claims;
mod client_assertion;
mod consent;
mod cors;
mod device;
mod end_session;
mod interaction;
mod keys;
mod logout;
mod machine;
mod metadata;
mod pushed;
mod refresh;
mod sessions;
mod token;
mod userinfo;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use keyback_core::random::SystemRandom;
use keyback_core::rate_limit::Limits;
use keyback_core::testing::{ManualClock, SeededRandom};
use keyback_core::time::{Clock as _, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt as _;
use url::Url;

use super::pages::{ErrorPage, FormPost, ProviderPages, SignOutConfirmation, SignedOut, Visitor};
use super::registry::WayBack;
use super::session::SignIn;
use super::{Provider, ProviderError, ProviderParts};
use crate::config::app::AppConfig;
use crate::config::lifetimes::{SessionConfig, TokensConfig};
use crate::logout::Endings;
use crate::outbox::Outbox;
use crate::secrets::{Purpose, RootKey, RootKeys, digest_of};
use crate::store::Store;
use crate::store::provider_keys::{self, KeyRow};
use crate::store::sessions::Session;
use crate::store::users::{self, NewUser};

pub(super) const ALICE: &str = "alice1234567";
pub(super) const BOB: &str = "bob123456789";
pub(super) const SECRET: &str = "web-secret-web-secret-web-secret";
pub(super) const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";
pub(super) const CALLBACK: &str = "https://spa.example/callback";
pub(super) const API: &str = "https://api.example";

/// Pages in plain text, enough to tell them apart.
struct PlainPages;

impl ProviderPages for PlainPages {
    fn error(&self, _: Visitor<'_>, page: ErrorPage<'_>) -> Response {
        (page.status, format!("{:?}: {}", page.kind, page.detail)).into_response()
    }

    fn sign_out_confirmation(&self, _: Visitor<'_>, page: SignOutConfirmation<'_>) -> Response {
        format!(
            "Confirm {:?} {} {} {:?}",
            page.app_name, page.account, page.action, page.fields
        )
        .into_response()
    }

    fn form_post(&self, _: Visitor<'_>, page: FormPost<'_>) -> Response {
        format!("FormPost {}\n{}", page.action, form_of(page.fields)).into_response()
    }

    fn signed_out(&self, _: Visitor<'_>, page: SignedOut<'_>) -> Response {
        let back = match page.way_back {
            Some(WayBack::AfterSignOut(url) | WayBack::SignIn(url)) => url.as_str(),
            None => "nowhere",
        };
        format!("SignedOut {:?} back to {back}", page.app_name).into_response()
    }
}

pub(super) struct Bench {
    pub(super) provider: Provider,
    pub(super) store: Store,
    pub(super) clock: Arc<ManualClock>,
    pub(super) root_keys: RootKeys,
    router: Router,
    folder: TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header(header::LOCATION)
    }

    /// Where a form posts an answer to, and one of its fields.
    pub(super) fn posted(&self, name: &str) -> (String, Option<String>) {
        let form = self
            .body
            .strip_prefix("FormPost ")
            .unwrap_or_else(|| panic!("{}", self.body));
        let (action, fields) = form.split_once('\n').unwrap();
        let mut fields = url::form_urlencoded::parse(fields.as_bytes());
        let found = fields.find(|(n, _)| n == name);
        (action.to_owned(), found.map(|(_, value)| value.into_owned()))
    }

    /// A parameter of the redirect.
    pub(super) fn sent(&self, name: &str) -> Option<String> {
        let url = Url::parse("http://relative/")
            .unwrap()
            .join(self.location())
            .unwrap();
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(super) fn error(&self) -> String {
        if self.status == StatusCode::SEE_OTHER {
            return self.sent("error").unwrap_or_default();
        }
        self.json()["error"].as_str().unwrap().to_owned()
    }

    /// The `name=value` pairs of the cookies that are set, not removed.
    pub(super) fn cookies(&self) -> String {
        let set = self
            .headers
            .get_all(header::SET_COOKIE)
            .into_iter()
            .map(|value| value.to_str().unwrap());
        let kept = set
            .filter(|value| !value.contains("Max-Age=0"))
            .map(|value| value.split(';').next().unwrap());
        kept.collect::<Vec<_>>().join("; ")
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::at("http://localhost:3001").await
    }

    pub(super) async fn at(public_url: &str) -> Self {
        // Drawing an RSA key takes a while; all tests but those of the keys share one.
        static KEYS: OnceCell<(RootKeys, Vec<KeyRow>)> = OnceCell::const_new();
        let made = KEYS.get_or_init(|| async {
            let root_keys = RootKeys::new(vec![RootKey::generate(&SystemRandom)]).unwrap();
            let folder = TempDir::new().unwrap();
            let store = Store::open(&folder.path().join("keys.db")).await.unwrap();
            let clock = Arc::new(ManualClock::default());
            start(&store, &root_keys, &clock, "http://localhost:3001")
                .await
                .unwrap();
            let rows = provider_keys::list(store.reader()).await.unwrap();
            store.close().await;
            (root_keys, rows)
        });
        let (root_keys, rows) = made.await.clone();
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        for row in &rows {
            assert!(provider_keys::add_first(store.writer(), row).await.unwrap());
        }
        let clock = Arc::new(ManualClock::default());
        for (id, email) in [(ALICE, "alice@example.test"), (BOB, "bob@example.test")] {
            let new = NewUser {
                id: id.to_owned(),
                username: Some(id[..3].to_owned()),
                email: Some(email.to_owned()),
                name: Some("Some Body".to_owned()),
                phone: None,
                verified: true,
                ..NewUser::default()
            };
            users::add(store.writer(), &new, clock.now()).await.unwrap();
        }
        let provider = start(&store, &root_keys, &clock, public_url).await.unwrap();
        Self {
            router: provider.router(),
            provider,
            store,
            clock,
            root_keys,
            folder,
        }
    }

    /// Stops the provider, and starts another on the same store.
    pub(super) async fn restart(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.folder.path().join("keyback.db")).await.unwrap();
        self.provider = start(&self.store, &self.root_keys, &self.clock, "http://localhost:3001")
            .await
            .unwrap();
        self.router = self.provider.router();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str, cookies: &str) -> Answer {
        let request = Request::get(path)
            .header(header::COOKIE, cookies)
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form_of(form))).unwrap()).await
    }

    /// Signs a person in in a browser that holds `cookies`; answers the session and its cookie.
    pub(super) async fn sign_in(&self, user_id: &str, cookies: &str) -> (Session, String) {
        let mut tx = self.store.begin().await.unwrap();
        let sign_in = SignIn {
            user_id,
            amr: "pwd",
            user_agent: None,
            client_ip: None,
        };
        let sessions = self.provider.sessions();
        let headers = cookie_header(cookies);
        let (session, cookie) = sessions
            .begin(&mut tx, &headers, sign_in, self.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        (session, cookie)
    }

    /// An authorization request of the public app, with what is added or, by an empty value, left out.
    pub(super) async fn authorize(&self, changes: &[(&str, &str)], cookies: &str) -> Answer {
        self.get(&authorize_path(changes), cookies).await
    }

    /// A code for Alice.
    pub(super) async fn code(&self, changes: &[(&str, &str)]) -> String {
        let (_, cookie) = self.sign_in(ALICE, "").await;
        let answer = self.authorize(changes, &cookie).await;
        answer
            .sent("code")
            .unwrap_or_else(|| panic!("no code: {}", answer.location()))
    }

    /// The public app exchanges a code.
    pub(super) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let base = [
            ("grant_type", "authorization_code"),
            ("client_id", "spa"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/oidc/token", &changed(&base, changes), &[]).await
    }

    /// The public app's tokens for Alice, with a refresh token.
    pub(super) async fn tokens(&self) -> Value {
        let code = self
            .code(&[("scope", "openid profile email offline_access")])
            .await;
        let answer = self.exchange(&code, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    pub(super) async fn refresh(&self, refresh_token: &str, changes: &[(&str, &str)]) -> Answer {
        let base = [
            ("grant_type", "refresh_token"),
            ("client_id", "spa"),
            ("refresh_token", refresh_token),
        ];
        self.post("/oidc/token", &changed(&base, changes), &[]).await
    }

    pub(super) async fn userinfo(&self, access_token: &str) -> Answer {
        let request = Request::get("/oidc/me")
            .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }
}

pub(super) async fn start(
    store: &Store,
    root_keys: &RootKeys,
    clock: &Arc<ManualClock>,
    public_url: &str,
) -> Result<Provider, ProviderError> {
    // A provider that starts again must not draw again what it drew before.
    static STARTS: AtomicU64 = AtomicU64::new(1);
    let apps: Vec<AppConfig> = serde_json::from_value(json!([
        { "client_id": "spa", "name": "The Site", "type": "spa", "redirect_uris": [CALLBACK],
          "post_logout_redirect_uris": ["https://spa.example/signed-out", "https://spa.example/out?from=op"],
          "backchannel_logout_uri": "https://spa.example/backchannel-logout", "resources": [API],
          "scopes": ["reports"] },
        { "client_id": "web", "type": "web", "client_secret": SECRET, "redirect_uris": ["https://web.example/cb"],
          "backchannel_logout_uri": "https://web.example/backchannel-logout",
          "id_token_signed_response_alg": "RS256" },
        { "client_id": "native", "type": "native", "redirect_uris": ["http://127.0.0.1/callback",
          "com.example.app:/callback"] },
        { "client_id": "tv", "name": "The TV", "type": "native", "device_flow": true, "resources": [API],
          "redirect_uris": [] },
        { "client_id": "foreign-tv", "type": "native", "device_flow": true, "first_party": false },
        { "client_id": "foreign-native", "type": "native", "first_party": false, "redirect_uris": [
          "http://127.0.0.1/callback", "com.foreign.app:/callback", "https://foreign-app.example/callback"] },
        { "client_id": "machine", "type": "machine", "client_secret": SECRET, "resources": [API] },
        { "client_id": "pusher", "type": "spa", "redirect_uris": ["https://pusher.example/callback"],
          "require_pushed_authorization_requests": true },
        { "client_id": "foreign", "type": "spa", "first_party": false,
          "redirect_uris": ["https://foreign.example/callback"], "resources": [API] },
    ]))
    .unwrap();
    let random = Arc::new(SeededRandom::new(STARTS.fetch_add(1, Ordering::SeqCst)));
    let outbox = Outbox::new(root_keys.sealer(Purpose::Jobs), random.clone());
    let resources = json!([{ "indicator": API, "scopes": ["read:books", "write:books"] },
        { "indicator": "https://other.example", "scopes": ["read:other"] }]);
    Provider::start(ProviderParts {
        store: store.clone(),
        root_keys,
        public_url: Url::parse(public_url).unwrap(),
        endings: Endings::new(outbox, &apps),
        apps,
        resources: serde_json::from_value(resources).unwrap(),
        tokens: TokensConfig::default(),
        session: SessionConfig::default(),
        clock: clock.clone(),
        random,
        pages: Arc::new(PlainPages),
        limits: Limits::default(),
        outgoing: Arc::default(),
        reset_available: true,
    })
    .await
}

pub(super) fn authorize_path(changes: &[(&str, &str)]) -> String {
    let challenge = digest_of(VERIFIER);
    let base = [
        ("client_id", "spa"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "the state"),
        ("nonce", "the-nonce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    format!("/oidc/auth?{}", form_of(&changed(&base, changes)))
}

pub(super) fn cookie_header(cookies: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookies).unwrap())])
}

/// `base` with the values of `changes`; an empty value leaves a parameter out.
fn changed<'a>(base: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .copied()
        .collect()
}

fn form_of<V: AsRef<str>>(form: &[(&str, V)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}
