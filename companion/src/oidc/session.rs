//! The browser session at the provider: who is signed in here, since when, and by which means.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use keyback_core::random::Random;
use keyback_core::time::Timestamp;

use crate::config::lifetimes::SessionConfig;
use crate::http::cookies::Cookies;
use crate::logout::Endings;
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::audit::{self, Actor, Line};
use crate::store::sessions::{self, NewSession, Session};
use crate::store::users::{self, User};
use crate::store::{Store, StoreError, Transaction};

const COOKIE: &str = "kb_session";
/// A sighting is written at most this often: most requests of a session write nothing.
const TOUCH_EVERY: Duration = Duration::from_secs(5 * 60);

/// What a sign-in knows of itself.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    pub user_id: &'a str,
    /// The hash of the password that was checked: no session begins once it is replaced.
    pub password_hash: &'a str,
    /// Authentication methods (RFC 8176), separated by spaces: `pwd`.
    pub amr: &'a str,
    pub user_agent: Option<&'a str>,
    pub client_ip: Option<&'a str>,
}

/// Who asks for a sign-out, for the audit trail.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignedOutBy<'a> {
    /// The app, where one asks.
    pub client_id: Option<&'a str>,
    pub client_ip: Option<&'a str>,
}

/// Begins, finds and ends browser sessions.
pub struct Sessions<'p> {
    pub(super) store: &'p Store,
    pub(super) config: &'p SessionConfig,
    pub(super) cookies: Cookies,
    pub(super) random: &'p dyn Random,
    pub(super) endings: &'p Endings,
}

impl Sessions<'_> {
    /// The session of the browser and its person, where one is live. Asks the store only if there is a cookie.
    pub async fn current(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<(Session, User)>, StoreError> {
        match self.cookies.read(headers, COOKIE) {
            // Boxed: who is signed in can bear it, and nobody else carries its room about.
            Some(secret) => Box::pin(self.find(secret, now)).await,
            None => Ok(None),
        }
    }

    /// Whether a browser says that somebody is signed in: it may be true.
    pub(super) fn is_claimed(&self, headers: &HeaderMap) -> bool {
        self.cookies.read(headers, COOKIE).is_some()
    }

    async fn find(&self, secret: &str, now: Timestamp) -> Result<Option<(Session, User)>, StoreError> {
        let Some(session) = sessions::find(self.store.reader(), &digest_of(secret), now).await? else {
            return Ok(None);
        };
        let Some(user) = users::find(self.store.reader(), &session.user_id).await? else {
            return Ok(None);
        };
        if now.since(session.last_seen_at()) >= TOUCH_EVERY {
            let expires_at = (now + self.config.idle.0).min(session.created_at() + self.config.max.0);
            if let Err(error) = sessions::touch(self.store.writer(), &session.id, now, expires_at).await {
                tracing::warn!(%error, "a session was seen and its idle life could not be moved");
            }
        }
        Ok(Some((session, user)))
    }

    /// Begins the transaction of a session that is about to begin. Where the browser brings another one, that ends in it,
    /// and must not be there again after a power cut.
    pub async fn begin_transaction(&self, headers: &HeaderMap) -> Result<Transaction, StoreError> {
        if self.cookies.read(headers, COOKIE).is_some() {
            self.store.begin().await
        } else {
            self.store.begin_quick().await
        }
    }

    /// Begins a session and gives its cookie: always a new secret (SR-64).
    ///
    /// If the same person signs in again, the public id (`sid`) stays, and what the session gave lives on; what
    /// another person's session in this browser gave ends with it.
    ///
    /// None where the account is gone or disabled, or has another password by now. What was written is to be taken back.
    pub async fn begin(
        &self,
        tx: &mut Transaction,
        headers: &HeaderMap,
        sign_in: SignIn<'_>,
        now: Timestamp,
    ) -> Result<Option<(Session, HeaderValue)>, StoreError> {
        let mut id = random_id(self.random);
        if let Some(secret) = self.cookies.read(headers, COOKIE)
            && let Some(old) = sessions::find(&mut **tx, &digest_of(secret), now).await?
        {
            if old.user_id == sign_in.user_id {
                sessions::end(&mut **tx, &old.id).await?;
                id = old.id;
            } else {
                self.endings.end_session(tx, &old.id, now).await?;
            }
        }
        let secret = random_token(self.random);
        let digest = digest_of(&secret);
        let new = NewSession {
            secret_digest: &digest,
            id: &id,
            user_id: sign_in.user_id,
            password_hash: sign_in.password_hash,
            amr: sign_in.amr,
            auth_time: now,
            expires_at: now + self.config.idle.0.min(self.config.max.0),
            user_agent: sign_in.user_agent,
            client_ip: sign_in.client_ip,
        };
        let session = sessions::begin(tx, &new).await?;
        Ok(session.map(|session| {
            let cookie = self.cookies.set(COOKIE, &secret, Some(self.config.max.0));
            (session, cookie)
        }))
    }

    /// Ends a session and what it gave, but for offline grants, in a transaction of its own; its apps are told.
    pub async fn sign_out(
        &self,
        session: &Session,
        by: SignedOutBy<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        self.endings.end_session(&mut tx, &session.id, now).await?;
        let line = Line {
            at: now,
            event: "signed_out",
            actor: Actor::User,
            subject: Some(&session.user_id),
            identifier: None,
            client_id: by.client_id,
            client_ip: by.client_ip,
        };
        audit::write(&mut *tx, self.random, &line).await?;
        tx.commit().await?;
        self.endings.wake();
        Ok(())
    }

    /// The `Set-Cookie` that takes the session from the browser.
    pub fn clear_cookie(&self) -> HeaderValue {
        self.cookies.clear(COOKIE)
    }
}
