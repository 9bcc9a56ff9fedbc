//! oidc-provider in a process of Node, and an app whose callback it leads to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use keyback::{Client, ClientAuthentication, ClientBuilder, Provider, Session, SignIn};
use keyback_tests::Browser;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use url::Url;

pub(super) const SECRET: &str = "a-secret-of-the-relying-party-that-is-long";

/// How long Node may take for an answer: much longer than it ever does.
const PATIENCE: Duration = Duration::from_secs(60);

type Told = Arc<Mutex<Vec<String>>>;

/// A provider that others wrote. It ends with its test.
pub(super) struct Peer {
    pub(super) issuer: String,
    pub(super) callback: String,
    pub(super) signed_out: String,
    /// The bodies of what was posted to the app's back channel.
    pub(super) told: Told,
    child: Child,
    orders: ChildStdin,
    answers: Option<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts it on any port.
    ///
    /// # Panics
    ///
    /// When Node or its packages are missing: `tests/run` installs both.
    pub(super) async fn start() -> Self {
        // Node has been seen to hang for good as it starts. Another process of it tells that from a test that hangs.
        for _ in 0..2 {
            if let Some(peer) = Self::begin().await {
                return peer;
            }
            eprintln!("oidc-provider does not come up");
        }
        panic!("oidc-provider does not come up: run `node tests/foreign/provider/main.js` to see why")
    }

    /// One whose process has come up.
    async fn begin() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
        assert!(
            folder.join("node_modules/oidc-provider").is_dir(),
            "oidc-provider is not installed: tests/run does that, or `npm ci --prefix tests/foreign`"
        );
        let told = Told::default();
        let app = app(Arc::clone(&told)).await;
        let [callback, signed_out, back_channel] =
            ["callback", "signed-out", "told"].map(|path| format!("{app}/{path}"));
        let mut child = Command::new("node")
            .arg(folder.join("provider/main.js"))
            .args([&callback, &signed_out, &back_channel])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("Node can't be started ({error}): tests/run installs it"));
        let mut peer = Self {
            issuer: String::new(),
            callback,
            signed_out,
            told,
            orders: child.stdin.take().unwrap(),
            answers: child.stdout.take().map(BufReader::new),
            child,
        };
        let line = peer.answer().await?;
        let issuer = line.strip_prefix("ready ");
        peer.issuer = issuer
            .unwrap_or_else(|| panic!("oidc-provider did not start: {line:?}"))
            .to_owned();
        Some(peer)
    }

    /// Lets it publish these keys, made when first named; the first signs.
    pub(super) async fn publish(&mut self, keys: &str) {
        writeln!(self.orders, "keys {keys}").unwrap();
        assert_eq!(self.answer().await.as_deref(), Some("done"));
    }

    /// The private key of one of its clients that prove themselves by one, as a JWK.
    pub(super) async fn key_of(&mut self, client: &str) -> String {
        writeln!(self.orders, "show {client}").unwrap();
        let key = self.answer().await;
        assert_eq!(self.answer().await.as_deref(), Some("done"));
        key.unwrap()
    }

    /// One of its clients, which are named for how their ID tokens are signed.
    pub(super) fn client(&self, id: &str) -> ClientBuilder {
        let builder = Client::builder(&self.issuer, id)
            .redirect_uri(&self.callback)
            .provider(Provider::Generic)
            // Scopes are asked for by name.
            .without_reserved_scopes();
        match id {
            "public" => builder,
            id if id.starts_with("key-") => builder,
            "post" => builder
                .client_secret(SECRET)
                .client_authentication(ClientAuthentication::Post),
            _ => builder.client_secret(SECRET),
        }
    }

    /// A browser that has never been there.
    pub(super) fn browser(&self) -> Browser {
        Browser::at(&Url::parse(&self.issuer).unwrap())
    }

    /// The next line it prints; none if it is silent.
    async fn answer(&mut self) -> Option<String> {
        let mut answers = self.answers.take().unwrap();
        let reading = spawn_blocking(move || {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            (answers, line.trim_end().to_owned())
        });
        // The end of the process ends a reading that is given up.
        let (answers, line) = timeout(PATIENCE, reading).await.ok()?.unwrap();
        self.answers = Some(answers);
        Some(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Signs `login` in on the provider's pages, agrees to what is asked, and gives the callback's address.
pub(super) async fn answer_of(browser: &mut Browser, url: &Url, login: &str) -> Url {
    browser.open(url.as_str()).await;
    let form = browser.page().form_with("login");
    browser
        .submit(form.fill("login", login).fill("password", "any"))
        .await;
    agree(browser).await
}

/// Agrees to what is asked, where something is, and gives the callback's address.
pub(super) async fn agree(browser: &mut Browser) -> Url {
    if browser.page().url.path() != "/callback" {
        let form = browser.page().form_with("prompt");
        browser.submit(form).await;
    }
    browser.assert_at("/callback");
    browser.page().url.clone()
}

/// A whole sign-in in a new browser.
pub(super) async fn sign_in(peer: &Peer, client: &Client) -> Result<(Browser, Session), keyback::Error> {
    let mut browser = peer.browser();
    let begun = client
        .sign_in()
        .scope("email")
        .scope("profile")
        .scope("offline_access");
    let SignIn { url, pending } = begun.start().await?;
    let callback = answer_of(&mut browser, &url, "ada").await;
    Ok((browser, client.finish(pending, callback).await?))
}

/// An app that takes whatever comes to it; answers its origin.
async fn app(told: Told) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let hear = async |State(told): State<Told>, body: String| told.lock().unwrap().push(body);
    let routes = Router::new()
        .route("/told", post(hear))
        .fallback(get(async || "you are back"))
        .with_state(told);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    origin
}
