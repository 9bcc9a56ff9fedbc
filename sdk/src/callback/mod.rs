//! The answer in: checks in the order they run, then tokens, then the ID token.

mod answer;
pub(crate) mod checks;
pub(crate) mod exchange;
pub(crate) mod id_token;
mod posted;

use url::Url;

use self::answer::Answer;
pub(crate) use self::answer::state_of;
use self::checks::Inquiry;
use self::id_token::{Expected, NonceRule};
pub use self::posted::PostedCallback;
use crate::client::Client;
use crate::client::signing_key::SigningFailed;
use crate::error::{CallbackError, Error, ExchangeError};
use crate::session::Session;
use crate::sign_in::PendingSignIn;

impl Client {
    /// Ends a sign-in: checks the callback against the request, exchanges the code, and verifies the ID token.
    ///
    /// `callback_url` is the whole URL that the browser requested. A server that knows only path and query makes it
    /// with [`callback_url`](Self::callback_url).
    ///
    /// # Errors
    ///
    /// In the order of the checks: [`CallbackError`] before anything is believed,
    /// [`DiscoveryError`](crate::DiscoveryError) and [`ExchangeError`] while tokens are fetched,
    /// [`IdTokenError`](crate::IdTokenError) for what they say. Nothing of a failed sign-in can be used.
    pub async fn finish(
        &self,
        pending: PendingSignIn,
        callback_url: impl AsRef<str>,
    ) -> Result<Session, Error> {
        self.conclude(pending, Answer::parse(callback_url.as_ref())?)
            .await
    }

    /// The answer is not believed yet.
    async fn conclude(&self, pending: PendingSignIn, answer: Answer) -> Result<Session, Error> {
        let code = self.checked_code(&pending, answer)?;
        let metadata = self.metadata().await?;
        let dpop_key = self
            .new_binding(&metadata)
            .map_err(|SigningFailed| ExchangeError::Unsigned)?;
        let begun = exchange::code(self, &metadata, code, &pending, dpop_key.as_ref()).await?;
        let id_token = begun.id_token.ok_or(ExchangeError::MissingIdToken)?;
        let expected = Expected {
            issuer: self.issuer(),
            client_id: self.client_id(),
            algorithms: self.algorithms(),
            nonce: NonceRule::Required(&pending.nonce),
            access_token: begun.tokens.access_token(),
            max_age: pending.max_age,
            subject: None,
            now: self.now(),
            leeway: self.leeway(),
        };
        let claims = id_token::verify(self, &metadata, id_token.expose(), &expected).await?;
        Ok(Session {
            claims,
            id_token,
            tokens: begun.tokens,
            purpose: pending.purpose,
            return_path: pending.return_path,
            dpop_key,
        })
    }

    /// The whole URL of a callback, out of what a server sees of it: path and query with HTTP/1.1, or a whole URL with
    /// HTTP/2 and through some proxies (RFC 9112 section 3.2.2). `request.uri().to_string()` is either.
    ///
    /// Path and query are the request's. Scheme, host and port are always those of the redirect URI: what a server sees
    /// of them was written by the proxy before it, or by the visitor.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Malformed`] when `request_target` is neither a path nor a URL of http or https.
    pub fn callback_url(&self, request_target: &str) -> Result<Url, Error> {
        let seen = answer::request_target(request_target)?;
        let mut url = self.redirect_uri().clone();
        url.set_path(seen.path());
        url.set_query(seen.query());
        Ok(url)
    }

    fn checked_code(&self, pending: &PendingSignIn, answer: Answer) -> Result<String, CallbackError> {
        checks::run(&Inquiry {
            answer: &answer,
            pending,
            issuer: self.issuer(),
            client_id: self.client_id(),
            now: self.now(),
        })?;
        answer.code.ok_or(CallbackError::MissingCode)
    }
}
