//! The provider at work, and what an app and a browser ask of it.

use super::*;
use crate::store::boots::Boot;
use crate::store::credentials;

/// The boot of the machine that tests run in.
const BOOT: &str = "the first";
/// What the provider sees of the password of everybody here.
pub(super) const PASSWORD_HASH: &str = "the hash of a password";

pub(super) struct Bench {
    pub(super) provider: Provider,
    pub(super) store: Store,
    pub(super) clock: Arc<ManualClock>,
    pub(super) root_keys: RootKeys,
    router: Router,
    pub(super) folder: TempDir,
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
            credentials::save_password_hash(store.writer(), id, PASSWORD_HASH, clock.now())
                .await
                .unwrap();
        }
        let provider = start(&store, &root_keys, &clock, public_url).await.unwrap();
        Self {
            router: provider.router().merge(provider.pages()),
            provider,
            store,
            clock,
            root_keys,
            folder,
        }
    }

    /// Stops the provider, and starts another on the same store.
    pub(super) async fn restart(&mut self) {
        self.restart_in(Some(BOOT)).await;
    }

    /// The same in a boot of the machine: one that it names, or one that it doesn't.
    pub(super) async fn restart_in(&mut self, boot: Option<&str>) {
        self.store.close().await;
        self.store = Store::open(&self.folder.path().join("keyback.db")).await.unwrap();
        let parts = (&self.store, &self.root_keys, &self.clock);
        self.provider = start_in(boot, parts, "http://localhost:3001").await.unwrap();
        self.router = self.provider.router().merge(self.provider.pages());
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
            password_hash: PASSWORD_HASH,
            amr: "pwd",
            user_agent: None,
            client_ip: None,
        };
        let sessions = self.provider.sessions();
        let headers = cookie_header(cookies);
        let (session, cookie) = sessions
            .begin(&mut tx, &headers, sign_in, self.now())
            .await
            .unwrap()
            .expect("the account may sign in");
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
    start_in(Some(BOOT), (store, root_keys, clock), public_url).await
}

async fn start_in(
    boot: Option<&str>,
    (store, root_keys, clock): (&Store, &RootKeys, &Arc<ManualClock>),
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
    let outbox = Outbox::new(root_keys, random.clone());
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
        boot: boot.and_then(Boot::new),
        reset_available: true,
    })
    .await
}
