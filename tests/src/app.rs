//! A companion in this process, and the shop beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keyback_companion::app::{Companion, Parts};
use keyback_companion::config::Config;
use keyback_companion::config::app::{AppConfig, AppKind, Secret};
use keyback_companion::config::messages::{EmailConnectorKind, SmsConnectorKind};
use keyback_companion::config::store::StoreUrl;
use keyback_companion::connectors::inbox::Letter;
use keyback_companion::hashing::Lane;
use keyback_companion::http::server::ServingLimits;
use keyback_companion::oidc::keys::{self, Handover};
use keyback_companion::secrets::RootKey;
use keyback_companion::serve::Running;
use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::credentials;
use keyback_companion::store::users::{self, Added, NewUser};
use keyback_core::identifier::Identifier;
use keyback_core::random::{Random, SystemRandom, short_id};
use keyback_core::testing::ManualClock;
use keyback_core::time::Clock as _;
use sqlx::{AssertSqlSafe, FromRow};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use crate::browser::Browser;
use crate::eventually;
use crate::site::Site;

/// The secret of the shop at the companion.
pub const APP_SECRET: &str = "a-secret-of-the-shop-that-is-long-enough";

/// A companion that listens on loopback, with a clock that stands still, and the shop as its app `shop`.
pub struct TestApp {
    pub companion: Arc<Companion>,
    pub clock: Arc<ManualClock>,
    /// `http://localhost:…`.
    pub url: Url,
    /// Where health and metrics are told.
    pub admin: Url,
    pub site: Arc<Site>,
    /// Of whoever asks without a browser. Each client reads the certificates of all authorities when it is made.
    pub http: reqwest::Client,
    /// Serves and works the outbox until it is dropped.
    _running: Running,
    folder: TempDir,
}

/// A challenge as it rests in the store.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChallengeRow {
    pub attempts: i64,
    pub superseded_at: Option<i64>,
    pub subject: Option<String>,
    pub code_digest: String,
}

impl TestApp {
    /// One with the defaults, both connectors the inbox.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose configuration differs.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::drawing_from(Arc::new(SystemRandom), change).await
    }

    /// One with a source of randomness of the test's own.
    pub async fn drawing_from(random: Arc<dyn Random>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = loopback().await;
        let site_listener = loopback().await;
        let admin_listener = loopback().await;
        let url = Url::parse(&format!(
            "http://localhost:{}",
            listener.local_addr().unwrap().port()
        ))
        .unwrap();
        // Another origin than the companion's, and for browsers another site.
        let site_url = Url::parse(&format!("http://{}", site_listener.local_addr().unwrap())).unwrap();
        let mut config = config(&folder, &url, &site_url);
        config.server.listen = listener.local_addr().unwrap();
        change(&mut config);
        let clock = Arc::new(ManualClock::default());
        let companion = Companion::start(Parts {
            config,
            clock: Arc::clone(&clock) as _,
            random,
            welcome: None,
        })
        .await
        .unwrap();
        let site = Site::new(companion.provider.issuer(), &site_url, &clock);
        let admin = Url::parse(&format!("http://{}", admin_listener.local_addr().unwrap())).unwrap();
        let mut running = Running::start(&companion, listener, Some(admin_listener));
        let limits = ServingLimits {
            max_connections: 1_000,
            header_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
        };
        running.also_serve(site_listener, Site::router(&site), limits);
        Self {
            companion,
            clock,
            url,
            admin,
            site,
            http: reqwest::Client::new(),
            _running: running,
            folder,
        }
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// The folder of the database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// As `keyback keys rotate` does, beside the running server.
    pub async fn rotate_keys(&self, handover: Handover) {
        let (companion, now) = (&self.companion, self.clock.now());
        let root_keys = companion.config.secrets.root_keys().unwrap();
        let tokens = &companion.config.tokens;
        keys::rotate(&companion.store, &root_keys, tokens, handover, &SystemRandom, now)
            .await
            .unwrap();
    }

    /// Adds an account with a verified e-mail address; answers its id.
    pub async fn add_user(&self, email: &str, password: Option<&str>) -> String {
        let user = NewUser {
            email: Some(email.to_owned()),
            verified: true,
            ..NewUser::default()
        };
        self.add(user, password).await
    }

    /// Adds an account; its id is drawn unless it has one.
    pub async fn add(&self, mut user: NewUser, password: Option<&str>) -> String {
        if user.id.is_empty() {
            user.id = short_id(&SystemRandom);
        }
        let (companion, now) = (&self.companion, self.clock.now());
        let added = users::add(companion.store.writer(), &user, now).await.unwrap();
        assert_eq!(added, Added::Added);
        if let Some(password) = password {
            let phc = companion.hashing.hash(Lane::SignIn, password).await.unwrap();
            credentials::save_password_hash(companion.store.writer(), &user.id, &phc, now)
                .await
                .unwrap();
        }
        user.id
    }

    /// Waits until every job that is due was done.
    pub async fn settle(&self) {
        eventually("the outbox to be empty", async || {
            let due: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE run_at <= $1 AND expires_at > $1")
                    .bind(self.clock.now().as_millis())
                    .fetch_one(self.companion.store.reader())
                    .await
                    .unwrap();
            (due == 0).then_some(())
        })
        .await;
    }

    /// Every message to an address, the newest first, once all were sent.
    pub async fn letters_to(&self, address: &str) -> Vec<Letter> {
        self.settle().await;
        let inbox = self.companion.inbox.as_ref().unwrap();
        let mut letters = inbox.letters();
        letters.retain(|letter| letter.to == address);
        letters
    }

    /// The newest code that was sent to an address.
    pub async fn last_code_for(&self, address: &str) -> String {
        let letters = self.letters_to(address).await;
        let code = letters.into_iter().find_map(|letter| letter.code);
        code.unwrap_or_else(|| panic!("no code was sent to {address}"))
    }

    /// How many rows each table holds.
    pub async fn row_counts(&self) -> BTreeMap<String, i64> {
        let db = self.companion.store.reader();
        let mut counts = BTreeMap::new();
        for table in self.tables().await {
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\""));
            let count = sqlx::query_scalar(sql).fetch_one(db).await.unwrap();
            counts.insert(table, count);
        }
        counts
    }

    /// Every row of each table, to the letter.
    pub async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let db = self.companion.store.reader();
        let mut rows = BTreeMap::new();
        for table in self.tables().await {
            let whole =
                "SELECT GROUP_CONCAT('QUOTE(' || name || ')', ' || '', '' || ') FROM pragma_table_info($1)";
            let whole: String = sqlx::query_scalar(whole)
                .bind(&table)
                .fetch_one(db)
                .await
                .unwrap();
            let sql = AssertSqlSafe(format!("SELECT {whole} FROM \"{table}\" ORDER BY 1"));
            let found = sqlx::query_scalar(sql).fetch_all(db).await.unwrap();
            rows.insert(table, found);
        }
        rows
    }

    async fn tables(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .fetch_all(self.companion.store.reader())
            .await
            .unwrap()
    }

    /// The challenges, the oldest first.
    pub async fn challenges(&self) -> Vec<ChallengeRow> {
        sqlx::query_as("SELECT attempts, superseded_at, subject, code_digest FROM challenges ORDER BY rowid")
            .fetch_all(self.companion.store.reader())
            .await
            .unwrap()
    }

    /// How often something stands in the audit trail.
    pub async fn audited(&self, event: &str) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE event = $1")
            .bind(event)
            .fetch_one(self.companion.store.reader())
            .await
            .unwrap()
    }

    /// The stored hash of an account's password.
    pub async fn password_hash(&self, user_id: &str) -> Option<String> {
        credentials::find_password_hash(self.companion.store.reader(), user_id)
            .await
            .unwrap()
    }

    /// Sets an account's status, as `keyback user disable` does.
    pub async fn set_status(&self, user_id: &str, status: AccountStatus) {
        users::set_status(self.companion.store.writer(), user_id, status, self.clock.now())
            .await
            .unwrap();
    }

    /// The account with an address.
    pub async fn user(&self, address: &str) -> users::User {
        let identifier = Identifier::parse(address).unwrap();
        users::find_by_identifier(self.companion.store.reader(), &identifier)
            .await
            .unwrap()
            .unwrap()
    }
}

/// Takes any port of loopback.
pub(crate) async fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn config(folder: &TempDir, url: &Url, site_url: &Url) -> Config {
    let mut config = Config::default();
    config.server.public_url = Some(url.clone());
    config.secrets.root_key = Some(Secret::new(RootKey::generate(&SystemRandom).to_text().as_str()));
    config.store.url = StoreUrl::Sqlite(folder.path().join("keyback.db"));
    config.email.connector = Some(EmailConnectorKind::Inbox);
    config.sms.connector = Some(SmsConnectorKind::Inbox);
    // Real hashes, but cheap: what they cost is the business of the companion's own tests.
    config.hashing.memory_kib = 64;
    config.hashing.iterations = 1;
    config.hashing.threads = 2;
    config.branding.name = "Larkspur Books".to_owned();
    config.apps = vec![AppConfig {
        name: Some("Larkspur Books".to_owned()),
        client_secret: Some(Secret::new(APP_SECRET)),
        redirect_uris: vec![site_url.join("/callback").unwrap()],
        post_logout_redirect_uris: vec![site_url.join("/").unwrap()],
        sign_in_url: Some(site_url.join("/sign-in").unwrap()),
        ..AppConfig::new("shop", AppKind::Web)
    }];
    config
}
