//! An OpenID provider in the same process, for tests of programs that use this crate. Feature `testkit`.
//!
//! It follows the rules (PKCE, codes that serve once, rotating refresh tokens whose repetition ends the session, `iss`, `sid`
//! and `at_hash`) until it is told to [`misbehave`](TestProvider::misbehave). It needs no network: it is itself the
//! transport. [`listen`](TestProvider::listen) puts the same provider on a loopback port, for programs that run on their
//! own.
//!
//! ```
//! use keyback::testkit::{Misbehaviour, Person, TestProvider};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let provider = TestProvider::new()?;
//! let client = provider.client("my-app", "https://app.example/callback").build()?;
//!
//! let begun = client.forgot_password().start().await?;
//! let callback = provider.sign_in(&begun.url, &Person::new("ada").email("ada@example.com"))?;
//! let session = client.finish(begun.pending, callback).await?;
//! assert_eq!(session.claims().email(), Some("ada@example.com"));
//!
//! // What does the program do when somebody mixes providers up?
//! provider.misbehave(Misbehaviour::ForeignIssuerInCallback);
//! let begun = client.sign_in().start().await?;
//! let callback = provider.sign_in(&begun.url, &Person::new("ada"))?;
//! let error = client.finish(begun.pending, callback).await.unwrap_err();
//! assert_eq!(error.code(), "callback.issuer_mismatch");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A whole site is tested through a [`Browser`], which goes where the site sends it and signs its person in at the provider:
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use axum::{Router, routing::get};
//! # use keyback::{SignedIn, Site};
//! use keyback::testkit::{Person, TestProvider, in_process};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let provider = TestProvider::new()?;
//! let client = provider.client("my-app", "https://app.example/callback").build()?;
//! let site = Site::builder(client, [7; 32]).build()?;
//! let orders = get(async |person: SignedIn| format!("the orders of {}", person.subject()));
//! let app = in_process(Router::new().route("/orders", orders).layer(site));
//!
//! let mut browser = provider.browser(app, "https://app.example", &Person::new("ada"))?;
//! assert_eq!(browser.open("/orders").await?.body, "the orders of ada");
//! # Ok(())
//! # })
//! # }
//! # #[cfg(not(feature = "axum"))]
//! # fn main() {}
//! ```
//!
//! Never give its clients to anybody: whoever asks is signed in.

mod authorize;
mod browser;
mod clock;
mod documents;
#[cfg(feature = "tower")]
mod in_process;
mod listen;
mod logout;
mod misbehaviour;
mod person;
mod request;
mod signer;
mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use self::authorize::Authorization;
pub use self::browser::{Browser, Page};
pub use self::clock::TestClock;
#[cfg(feature = "tower")]
pub use self::in_process::in_process;
pub use self::misbehaviour::Misbehaviour;
pub use self::person::Person;
use self::signer::Signer;
use self::token::Grant;
use crate::client::{Client, ClientBuilder};
use crate::clock::Clock as _;
use crate::random::{self, RandomError, SystemRandom};

/// Below a domain that is nobody's (RFC 2606 section 2).
const ISSUER: &str = "https://provider.test/oidc";
/// Where tests begin, in seconds: an afternoon of September 2026.
const BEGINNING: u64 = 1_790_000_000;

/// Why a test provider did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TestkitError {
    /// No key could be made.
    #[error("the test provider could not make a key")]
    Key,
    /// The request is not one that the provider would answer at the redirect URI.
    #[error("the test provider would show an error page for this authorization request: {0}")]
    Request(&'static str),
    /// The loopback port could not be opened.
    #[error("the test provider could not listen on a loopback port")]
    Listen,
    /// What a browser should stand in front of is no origin, or the path is none.
    #[error("a browser needs an origin such as https://app.example, and paths below it")]
    Origin,
    /// The program did not answer.
    #[error("the program that is tested gave no answer")]
    App,
    /// The program redirects without end.
    #[error("the program that is tested redirects without end")]
    Redirects,
}

impl From<RandomError> for TestkitError {
    fn from(_: RandomError) -> Self {
        Self::Key
    }
}

/// A provider in memory. Clones are the same provider.
#[derive(Clone)]
pub struct TestProvider {
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    clock: TestClock,
    state: Mutex<State>,
}

struct State {
    signer: Signer,
    generation: u32,
    /// Redirect URIs by client id.
    clients: HashMap<String, Vec<String>>,
    secrets: HashMap<String, String>,
    /// By code.
    codes: HashMap<String, Authorization>,
    grants: Vec<Grant>,
    misbehaviour: Vec<Misbehaviour>,
    requests: HashMap<String, usize>,
    /// Who is signed in when a browser comes to the authorization endpoint over the network.
    browser: Person,
}

impl TestProvider {
    /// A provider of the issuer `https://provider.test/oidc`, reached in memory alone.
    ///
    /// # Errors
    ///
    /// [`TestkitError::Key`] when the system has no randomness.
    pub fn new() -> Result<Self, TestkitError> {
        Self::at(ISSUER.to_owned())
    }

    fn at(issuer: String) -> Result<Self, TestkitError> {
        let state = State {
            signer: Signer::new("test-key-1").ok_or(TestkitError::Key)?,
            generation: 1,
            clients: HashMap::new(),
            secrets: HashMap::new(),
            codes: HashMap::new(),
            grants: Vec::new(),
            misbehaviour: Vec::new(),
            requests: HashMap::new(),
            browser: Person::new("test-person"),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                issuer,
                clock: TestClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(BEGINNING)),
                state: Mutex::new(state),
            }),
        })
    }

    /// Registers a client and begins to describe it: with the provider as its transport and the provider's clock. Give it a
    /// secret by [`register_secret`](Self::register_secret) and [`ClientBuilder::client_secret`].
    pub fn client(&self, client_id: &str, redirect_uri: &str) -> ClientBuilder {
        self.register(client_id, redirect_uri);
        Client::builder(self.issuer(), client_id)
            .redirect_uri(redirect_uri)
            .http(Arc::new(self.clone()))
            .clock(Arc::new(self.clock()))
    }

    /// Registers a redirect URI of a client, which may have several.
    pub fn register(&self, client_id: &str, redirect_uri: &str) {
        let mut state = self.lock();
        let uris = state.clients.entry(client_id.to_owned()).or_default();
        uris.push(redirect_uri.to_owned());
    }

    /// From now on the client has to show this secret at the token endpoint, in either of the two ways.
    pub fn register_secret(&self, client_id: &str, secret: &str) {
        self.lock()
            .secrets
            .insert(client_id.to_owned(), secret.to_owned());
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The clock that the provider goes by. Clones are the same clock.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.inner.clock.clone()
    }

    /// Misbehaves from now on, besides what it was told before, until [`behave`](Self::behave).
    pub fn misbehave(&self, how: Misbehaviour) {
        self.lock().misbehaviour.push(how);
    }

    /// Follows the rules again.
    pub fn behave(&self) {
        self.lock().misbehaviour.clear();
    }

    /// Signs with a new key, and withdraws the one before.
    ///
    /// # Errors
    ///
    /// [`TestkitError::Key`] when the system has no randomness.
    pub fn rotate_keys(&self) -> Result<(), TestkitError> {
        let mut state = self.lock();
        state.generation += 1;
        let key_id = format!("test-key-{}", state.generation);
        state.signer = Signer::new(&key_id).ok_or(TestkitError::Key)?;
        Ok(())
    }

    /// How often this path was asked for, such as `/oidc/jwks`.
    #[must_use]
    pub fn requests(&self, path: &str) -> usize {
        self.lock().requests.get(path).copied().unwrap_or_default()
    }

    /// An access token for an API (RFC 9068), as a client would have had it for `person`.
    #[must_use]
    pub fn access_token(&self, audience: &str, client_id: &str, scope: &str, person: &Person) -> String {
        let now = self.seconds();
        let claims = json!({
            "iss": self.issuer(), "aud": audience, "sub": person.subject(), "client_id": client_id,
            "jti": self.draw(), "iat": now, "exp": now + 3600, "scope": scope,
        });
        self.lock().signer.sign("at+jwt", &claims)
    }

    fn misbehaves(&self, how: &Misbehaviour) -> bool {
        self.lock().misbehaviour.contains(how)
    }

    fn seconds(&self) -> u64 {
        let since = self.inner.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    }

    fn draw(&self) -> String {
        // Without randomness tests still tell one from another by the count.
        let drawn = random::token(&SystemRandom).map(|token| token.expose().to_owned());
        drawn.unwrap_or_else(|RandomError| format!("drawn-{}", self.count("drawn")))
    }

    fn count(&self, what: &str) -> usize {
        let mut state = self.lock();
        let counted = state.requests.entry(what.to_owned()).or_default();
        *counted += 1;
        *counted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TestProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestProvider")
            .field("issuer", &self.inner.issuer)
            .finish_non_exhaustive()
    }
}

/// An answer before it is written.
struct Reply {
    status: u16,
    body: Value,
    location: Option<String>,
}

impl Reply {
    fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            location: None,
        }
    }

    /// An error of RFC 6749 section 5.2.
    fn error(status: u16, error: &str) -> Self {
        Self::json(status, json!({ "error": error }))
    }

    fn redirect(location: String) -> Self {
        Self {
            status: 303,
            body: Value::Null,
            location: Some(location),
        }
    }
}
