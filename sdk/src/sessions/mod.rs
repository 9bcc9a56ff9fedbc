//! Sessions that last: kept in a store, with tokens that stay fresh, until somebody signs out.

mod access_token;
mod back_channel;
mod builder;
mod context;
mod ends;
mod flight;
mod fresh;
mod id;
mod logouts;
mod logouts_file;
mod record;
mod refresh;
mod sign_out;
mod signed_in;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::access_token::AccessToken;
pub use self::back_channel::BackChannelAnswer;
pub use self::builder::SessionsBuilder;
pub use self::context::{Context, ContextRequest};
use self::flight::Flights;
pub use self::id::{SessionId, SessionKey};
pub use self::logouts::{LogoutMark, LogoutRegistry, MemoryLogouts};
pub use self::logouts_file::FileLogouts;
use self::record::Record;
pub use self::sign_out::{Revocation, SignOut};
pub use self::signed_in::SignedIn;
#[cfg(feature = "tower-sessions")]
pub use self::store::TowerSessionStore;
pub(crate) use self::store::session_prefix;
pub use self::store::{
    CookieStore, FileStore, MemoryStore, Saved, SealedSession, StoreCause, StoreError, StoreFuture,
    TokenStore,
};
use crate::client::Client;
use crate::error::{Error, SessionError};
use crate::sealing::KeyRing;
use crate::session::{Claims, Session};

/// How long a saved session is remembered beside its store. In that time a request that came with an older cookie gets
/// the tokens of the one that refreshed.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Keeps the sessions of a client: who is signed in, with which tokens, and until when.
///
/// Cheap to clone and shared between requests. [`begin`](Self::begin) takes over what
/// [`Client::finish`](crate::Client::finish) gave; [`find`](Self::find) opens it again by the id that the browser brings.
///
/// ```
/// # async fn run(client: keyback::Client, session: keyback::Session) -> Result<(), keyback::Error> {
/// use keyback::Sessions;
///
/// // 32 random bytes or more, the same on every replica and after every restart.
/// let sessions = Sessions::builder(&client, [7; 32]).build()?;
/// let id = sessions.begin(&session).await?.id().clone(); // goes into a cookie
///
/// if let Some(signed_in) = sessions.find(&id).await? {
///     let orders = signed_in.access_token(Some("https://api.example"), None).await?;
///     let header = orders.authorization();
/// }
/// # Ok(())
/// # }
/// ```
///
/// - **One request at a time.** However many tasks ask a session for however many tokens, its refresh token is used by one
///   request after another, and none asks for what another has brought.
/// - **Early.** A new token is fetched a little before the old one expires, at a moment that differs between sessions; while
///   one task does it, the others use the old one.
/// - **Seen through.** A refresh goes on when its caller is cancelled, so that the provider's next refresh token is not lost: in
///   a task of its own where tokio runs, elsewhere by the next caller.
/// - **An end is an end.** A refresh that is under way when somebody signs out brings nothing back, and what it got is
///   revoked.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
    store: Arc<dyn TokenStore>,
}

struct Shared {
    client: Client,
    keys: KeyRing,
    lifetime: Duration,
    early: Duration,
    logouts: Arc<dyn LogoutRegistry>,
    flights: Arc<Flights>,
    successors: fresh::Successors,
}

/// A session that was opened, and the version that it is saved over.
#[derive(Clone)]
struct Loaded {
    record: Record,
    claims: Claims,
    version: u64,
}

impl Sessions {
    /// Begins to describe how the sessions of `client` are kept. `secret` is what they are sealed with: 32 random bytes or
    /// more. It may be that of the [`CookieSealer`](crate::CookieSealer): their keys differ.
    pub fn builder(client: &Client, secret: impl AsRef<[u8]>) -> SessionsBuilder {
        SessionsBuilder::new(client.clone(), secret.as_ref())
    }

    /// The same sessions in another store: that of one request, such as a [`CookieStore`].
    #[must_use]
    pub fn with_store(&self, store: Arc<dyn TokenStore>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            store,
        }
    }

    /// Keeps a finished sign-in under a new id. Whatever id the browser had before should be
    /// [ended](Self::end): an id that somebody planted is worth nothing then.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn begin(&self, session: &Session) -> Result<SignedIn, Error> {
        let client = self.client();
        let id = SessionId::draw(client.random()).map_err(|_| SessionError::Seal)?;
        let record = Record::begin(session, client.now(), self.shared.early, client.random());
        let loaded = Loaded {
            claims: session.claims().clone(),
            record,
            version: 0,
        };
        let key = id.key();
        match self.save(&key, &loaded.record, 0, None).await? {
            Saved::Done => Ok(SignedIn::new(self.clone(), id, loaded)),
            Saved::Conflict => Err(SessionError::Busy.into()),
        }
    }

    /// The session of this id. `None` when nobody is signed in by it: it has ended, here or at the provider, it has
    /// expired, its last access token has and there is no refresh token, or there never was one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn find(&self, id: &SessionId) -> Result<Option<SignedIn>, Error> {
        let loaded = self.load(&id.key()).await?;
        let live = loaded.filter(|loaded| loaded.record.is_live(self.client().now()));
        Ok(live.map(|loaded| SignedIn::new(self.clone(), id.clone(), loaded)))
    }

    /// Ends the session of this id here. What is left is to [run](Revocation::run) the revocation of its refresh token,
    /// which nobody need wait for. The session at the provider goes on: see [`SignedIn::sign_out`].
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn end(&self, id: &SessionId) -> Result<Revocation, Error> {
        let key = id.key();
        let loaded = self.load(&key).await?;
        self.forget(&key).await?;
        let refresh_token = loaded.and_then(|loaded| loaded.record.refresh_token().cloned());
        Ok(Revocation::of(self.client(), refresh_token))
    }

    /// Ends every session of a person that has begun by now: when an account is closed, or has been taken over.
    /// `subject` is the [`Claims::subject`] of their ID tokens.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn end_all_of(&self, subject: &str) -> Result<(), Error> {
        // ID tokens tell the time in whole seconds, by the provider's clock.
        let at = self.client().provider_now() + Duration::from_secs(1);
        self.end_all_begun_before(subject, at).await
    }

    /// Ends every session of a person that began before `at`, by the provider's clock: after a reset, the time of the
    /// webhook's event. Told twice of the same reset, it ends no session that began after it.
    ///
    /// ID tokens tell the time in whole seconds, and a session that began in the second of `at` goes on: it is most likely
    /// the sign-in that follows the reset. Whoever would rather end that one too gives `at` one second later.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn end_all_begun_before(&self, subject: &str, at: SystemTime) -> Result<(), Error> {
        let mark = LogoutMark::subject(self.client().issuer(), subject);
        Ok(self.mark(&mark, at).await?)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    async fn mark(&self, mark: &LogoutMark, at: SystemTime) -> Result<(), SessionError> {
        let until = self.client().now() + self.shared.lifetime;
        Ok(self.shared.logouts.end(mark, at, until).await?)
    }

    /// First for everybody, then in the store: whoever loads it in between finds it ended.
    async fn forget(&self, key: &SessionKey) -> Result<(), SessionError> {
        self.mark(&LogoutMark::session(key), self.client().now()).await?;
        self.shared.successors.forget(key);
        Ok(self.store.remove(key).await?)
    }

    /// The session as it is now, unless it has ended.
    async fn load(&self, key: &SessionKey) -> Result<Option<Loaded>, SessionError> {
        let now = self.client().now();
        let stored = self.store.load(key).await?;
        let session = match (stored, self.shared.successors.find(key, now)) {
            (Some(stored), Some(successor)) if successor.version() > stored.version() => {
                // A browser that sent its request before the refresh: it gets the new tokens too.
                let saved = self
                    .store
                    .save(key, successor.clone(), Some(stored.version()))
                    .await?;
                tracing::debug!(
                    conflict = saved == Saved::Conflict,
                    "took the successor of a session"
                );
                Some(successor)
            }
            (stored, _) => stored,
        };
        let Some(session) = session else {
            return Ok(None);
        };
        let Some(record) = Record::open(&self.shared.keys, self.client(), key, &session) else {
            tracing::info!("a session was not sealed by any of the keys, or not for this client and id");
            return Ok(None);
        };
        let Some(claims) = record.claims() else {
            return Ok(None);
        };
        if self.expires_at(&record) <= now || self.has_ended(key, &record, &claims).await? {
            return Ok(None);
        }
        Ok(Some(Loaded {
            record,
            claims,
            version: session.version(),
        }))
    }

    async fn has_ended(
        &self,
        key: &SessionKey,
        record: &Record,
        claims: &Claims,
    ) -> Result<bool, SessionError> {
        let mut marks = LogoutMark::all_of(key, self.client().issuer(), claims);
        let first = record.sid().filter(|sid| claims.session_id() != Some(*sid));
        marks.extend(first.map(|sid| LogoutMark::provider_session(self.client().issuer(), sid)));
        let ends = self.shared.logouts.ends(&marks).await?;
        let subject = LogoutMark::subject(self.client().issuer(), claims.subject());
        Ok(marks.iter().zip(ends).any(|(mark, end)| {
            // A person may sign in again, even in the second of the end, as after a reset; a session that has ended stays so.
            end.is_some_and(|at| *mark != subject || record.began_before(at))
        }))
    }

    fn expires_at(&self, record: &Record) -> SystemTime {
        record.begun_at() + self.shared.lifetime
    }

    async fn save(
        &self,
        key: &SessionKey,
        record: &Record,
        version: u64,
        replaces: Option<u64>,
    ) -> Result<Saved, SessionError> {
        let sealed = record
            .seal(
                &self.shared.keys,
                self.client(),
                key,
                version,
                self.expires_at(record),
            )
            .map_err(|_| SessionError::Seal)?;
        let saved = self.store.save(key, sealed.clone(), replaces).await?;
        if saved == Saved::Done && replaces.is_some() {
            self.shared.successors.remember(key, sealed, self.client().now());
        }
        Ok(saved)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("client", &self.shared.client)
            .field("lifetime", &self.shared.lifetime)
            .finish_non_exhaustive()
    }
}
