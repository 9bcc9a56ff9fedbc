//! A provider, a clock, and a client of the two.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyback::{Client, ClientBuilder, Clock, Error, Session, SignIn};
use serde_json::Value;

use super::{ACCESS_TOKEN, CLIENT_ID, CODE, ISSUER, NOW, Provider, REDIRECT_URI, SUBJECT, Signer};

/// Everything a test needs: a provider, a clock, and a client of the two.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) provider: Arc<Provider>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) client: Client,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Scopes are asked for by name.
    pub(crate) fn with(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        Self::conventional(|builder| configure(builder.without_reserved_scopes()))
    }

    /// With the scopes that every sign-in has by itself.
    pub(crate) fn conventional(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(UNIX_EPOCH + Duration::from_secs(NOW))));
        let provider = Arc::new(Provider::new(Arc::clone(&clock)));
        let builder = Client::builder(ISSUER, CLIENT_ID)
            .redirect_uri(REDIRECT_URI)
            .http(provider.clone())
            .clock(clock.clone());
        let client = configure(builder).build().unwrap();
        Self {
            provider,
            clock,
            client,
        }
    }

    /// From the link to the session.
    pub(crate) async fn sign_in(&self) -> Result<Session, Error> {
        let begun = self.begin().await;
        let callback = self.provider.answer(&begun.url);
        checked(self.client.finish(begun.pending, callback).await)
    }

    /// The error of a sign-in that must fail.
    pub(crate) async fn refused(&self) -> Error {
        self.sign_in().await.expect_err("the sign-in must be refused")
    }

    pub(crate) async fn begin(&self) -> SignIn {
        self.client.sign_in().start().await.unwrap()
    }

    /// Changes the claims of every ID token from now on.
    pub(crate) fn claims(&self, tamper: impl Fn(&mut Value) + Send + 'static) -> &Self {
        self.provider.lock().claims = Some(Box::new(tamper));
        self
    }

    /// Makes every ID token from now on by hand.
    pub(crate) fn forge(&self, forge: impl Fn(&Signer, Value) -> String + Send + 'static) -> &Self {
        self.provider.lock().forge = Some(Box::new(forge));
        self
    }
}

/// Passes the result on, after looking into every error for what must not be in a log.
pub(crate) fn checked<T>(result: Result<T, Error>) -> Result<T, Error> {
    if let Err(error) = &result {
        let mut texts = vec![
            error.to_string(),
            format!("{error:?}"),
            error.remedy().to_string(),
        ];
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            texts.push(cause.to_string());
            source = cause.source();
        }
        for text in texts {
            for secret in ["://", "example", CODE, ACCESS_TOKEN, SUBJECT, "must-not-leak"] {
                assert!(!text.contains(secret), "{text:?} holds {secret:?}");
            }
        }
        assert!(error.code().contains('.'));
    }
    result
}

pub(crate) struct TestClock(Mutex<SystemTime>);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}
