//! Logout tokens (OpenID Connect Back-Channel Logout 1.0): the provider tells, server to server, that a session has
//! ended.

mod claims;
mod header;
mod replay;
mod signature;

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

pub use self::replay::{MemoryReplays, ReplayStore};
use crate::checks;
use crate::client::{Algorithm, Client, KeySet};
use crate::error::{Error, LogoutTokenError, SessionError};
use crate::jws::{self, Header};

/// Longer than any logout token.
const LONGEST: usize = 16 * 1024;

/// A session has ended at the provider, or every session of a person. It exists only if every check has passed.
///
/// End the application's own sessions that it names:
///
/// - with [`session_id`](Self::session_id): the one that began with an ID token of this
///   [`Claims::session_id`](crate::Claims::session_id);
/// - without: every session of [`subject`](Self::subject).
///
/// Refresh tokens that were granted with `offline_access` live on (Back-Channel Logout section 2.7).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the sessions that it names have to be ended"]
pub struct LogoutToken {
    subject: Option<String>,
    session_id: Option<String>,
    token_id: String,
    issued_at: SystemTime,
}

impl LogoutToken {
    /// `sub`: whose session has ended.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `sid`: which session has ended. Without it, all of the person's.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// `jti`: the token's own id, for the log.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// `iat`: when the token was issued, by the provider's clock. Sessions whose ID token is newer go on.
    #[must_use]
    pub fn issued_at(&self) -> SystemTime {
        self.issued_at
    }

    /// Whether a session that began with these claims is among those that have ended.
    #[must_use]
    pub fn names(&self, claims: &crate::Claims) -> bool {
        let same_person = self.subject().is_none_or(|subject| subject == claims.subject());
        let same_session = self.session_id.is_none() || self.session_id() == claims.session_id();
        same_person && same_session
    }
}

/// Without the values: they name a person.
impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken")
            .field("token_id", &self.token_id)
            .field("has_subject", &self.subject.is_some())
            .field("has_session_id", &self.session_id.is_some())
            .finish()
    }
}

/// A logout token that has passed every check but one: it may have come before.
pub(crate) struct Judged {
    pub(crate) token: LogoutToken,
    good_until: SystemTime,
}

/// What a logout token must agree with. Nothing in it comes from the token.
pub(crate) struct Expected<'a> {
    issuer: &'a str,
    client_id: &'a str,
    algorithms: &'a [Algorithm],
    now: SystemTime,
    leeway: Duration,
}

/// A token that no check has passed yet.
pub(crate) struct Candidate<'a> {
    raw: &'a str,
    header: &'a Header,
    claims: &'a Map<String, Value>,
    keys: &'a KeySet,
    expected: &'a Expected<'a>,
}

pub(crate) type Check = fn(&Candidate<'_>) -> Result<(), LogoutTokenError>;

/// What the log calls the table.
pub(crate) const TABLE: &str = "logout token";

/// Back-Channel Logout section 2.6, in the order of its steps; the names are for the log. Step 7, the repeat, comes
/// after them: a token that is not acceptable must not use up an id.
pub(crate) const CHECKS: [(&str, Check); 9] = [
    ("header", header::check),
    // Step 2, as for an ID token: the client's own list of algorithms, the provider's own keys.
    ("algorithm", header::check_algorithm),
    ("signature", signature::check),
    // Step 3.
    ("issuer", claims::issuer),
    ("audience", claims::audience),
    ("times", claims::times),
    // Step 4.
    ("names_somebody", claims::names_somebody),
    // Step 5.
    ("event", claims::event),
    // Step 6: an ID token has one.
    ("nonce", claims::no_nonce),
];

impl Client {
    /// Verifies the `logout_token` that the provider posts to the application's back-channel logout URI, as a form
    /// (Back-Channel Logout section 2.5). End the sessions that it names, then answer 200.
    ///
    /// The client remembers the tokens that it has verified for as long as they are good: the same one a second time
    /// is an error. Keep one client, whose clones share that memory.
    ///
    /// ```no_run
    /// use keyback::Client;
    ///
    /// # fn end_sessions(_sid: Option<&str>, _subject: Option<&str>) {}
    /// /// `POST /backchannel-logout`: the status to answer with, and `Cache-Control: no-store`.
    /// async fn receive(auth: &Client, logout_token: &str) -> u16 {
    ///     match auth.verify_logout_token(logout_token).await {
    ///         Ok(token) => {
    ///             end_sessions(token.session_id(), token.subject());
    ///             200
    ///         }
    ///         Err(error) if error.is_retryable() => 503, // the provider's keys could not be had
    ///         Err(_) => 400, // log the error: it says what is wrong
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`LogoutTokenError`] for a token that is not acceptable, [`DiscoveryError`](crate::DiscoveryError) when the
    /// provider's keys can't be had.
    pub async fn verify_logout_token(&self, logout_token: &str) -> Result<LogoutToken, Error> {
        let judged = self.judge_logout_token(logout_token).await?;
        self.remember_logout_token(&judged).await?;
        Ok(judged.token)
    }

    /// All that [`verify_logout_token`](Self::verify_logout_token) does, but for the repeat.
    pub(crate) async fn judge_logout_token(&self, logout_token: &str) -> Result<Judged, Error> {
        let header = Header::parse(logout_token, LONGEST).map_err(LogoutTokenError::from)?;
        let metadata = self.metadata().await?;
        let keys = self.keys(&metadata).await?;
        let expected = Expected {
            issuer: self.issuer(),
            client_id: self.client_id(),
            algorithms: self.algorithms(),
            now: self.now(),
            leeway: self.leeway(),
        };
        let mut outcome = check(logout_token, &header, &keys, &expected);
        // The provider may have changed its keys. A token without a key id cannot say so, its signature only fails.
        let may_be_newer = match &outcome {
            Err(LogoutTokenError::UnknownKey) => true,
            Err(LogoutTokenError::BadSignature) => header.key_id.is_none(),
            _ => false,
        };
        if may_be_newer && let Some(keys) = self.newer_keys(&metadata, &keys, header.key_id.as_deref()).await
        {
            outcome = check(logout_token, &header, &keys, &expected);
        }
        let claims = outcome?;
        Ok(Judged {
            token: claims::accepted(&claims)?,
            good_until: claims::forgotten_after(&claims, &expected),
        })
    }

    /// The repeat of a token is an error.
    pub(crate) async fn remember_logout_token(&self, judged: &Judged) -> Result<(), Error> {
        // Several clients may share a store, and an id is its issuer's own.
        let name = format!("{} {} {}", self.issuer(), self.client_id(), judged.token.token_id);
        let is_new = self
            .logout_tokens()
            .remember(&name, judged.good_until, self.now());
        if is_new.await.map_err(SessionError::from)? {
            Ok(())
        } else {
            Err(LogoutTokenError::Replayed.into())
        }
    }
}

fn check(
    raw: &str,
    header: &Header,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, LogoutTokenError> {
    let claims = jws::claims(raw)?;
    let candidate = Candidate {
        raw,
        header,
        claims: &claims,
        keys,
        expected,
    };
    let candidate = &candidate;
    checks::run(
        TABLE,
        CHECKS.map(|(name, check)| (name, move || check(candidate))),
    )?;
    Ok(claims)
}
