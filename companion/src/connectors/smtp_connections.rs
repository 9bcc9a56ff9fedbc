//! Connections to the mail server: a few, opened, logged in, and kept for a while between mails.
//!
//! The mail library's own pool is not used. It takes back a connection whose conversation was given up in the middle, and the
//! next mail would read the answers to the last one's commands; and it does not tell whether a connection was had at all, which
//! tells the server's trouble from one recipient's (SR-87).

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::smtp_stream::{self, NoStream};

/// The most at a time, in use or kept. A mail server that lets one client in so often, and no oftener, is no rarity; what it
/// answers to the next looks like one that serves nobody.
const MOST: usize = 4;
/// Mail servers close what is silent for some minutes.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Whoever doesn't answer a NOOP in this time, or in a quarter of the time of one mail, is not waited for: another connection is
/// opened.
const STILL_THERE: Duration = Duration::from_secs(5);

/// How the way to the server is guarded.
pub(super) enum Guard {
    /// TLS from the first byte.
    Tls(TlsParameters),
    /// TLS after `STARTTLS`, or nothing.
    Starttls(TlsParameters),
    /// To this machine alone.
    None,
}

/// Where mail is handed over: opens and keeps connections.
pub(super) struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    guard: Guard,
    credentials: Option<Credentials>,
    /// How long a kept one may be asked for a sign of life: of the time that one mail has, so it is a part of that.
    still_there: Duration,
    free: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// Why there is none that may send.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    #[error(transparent)]
    Stream(#[from] NoStream),
    /// The server doesn't let us in.
    #[error(transparent)]
    Server(#[from] Error),
}

/// One of the few conversations that are held at a time. It ends when this is dropped, which is after its connection has gone.
#[must_use]
pub(super) struct Turn<'a> {
    /// There is always one: nobody closes the semaphore.
    _permit: Option<SemaphorePermit<'a>>,
}

/// A connection between two mails.
struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl MailServer {
    /// Opens nothing yet. A mail has `timeout` for all of its conversation.
    pub(super) fn new(
        (host, port): (String, u16),
        guard: Guard,
        credentials: Option<Credentials>,
        timeout: Duration,
    ) -> Self {
        Self {
            host,
            port,
            guard,
            credentials,
            still_there: STILL_THERE.min(timeout / 4),
            free: Semaphore::new(MOST),
            idle: Mutex::default(),
        }
    }

    /// Waits until one more conversation may be held. To be had before [`take`](Self::take), and held until the connection is
    /// given back or gone. Whoever waits here waits for conversations that have an end each, and not for the server: that is no
    /// part of their own time.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn {
            _permit: self.free.acquire().await.ok(),
        }
    }

    /// One that may send. Where it isn't had, nobody's mail can be sent.
    pub(super) async fn take(&self, _turn: &Turn<'_>) -> Result<AsyncSmtpConnection, NoConnection> {
        if let Some(mut connection) = self.take_idle() {
            let asked = tokio::time::timeout(self.still_there, connection.test_connected()).await;
            if asked == Ok(true) {
                return Ok(connection);
            }
            // What has cut this one off, a restart or something between that forgets, has cut off the others, and each of them
            // would cost as long.
            self.idle().clear();
        }
        self.open().await
    }

    /// Takes back one whose conversation has ended well, before its turn ends.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        let since = Instant::now();
        let mut idle = self.idle();
        idle.retain(Idle::is_young);
        idle.push(Idle { connection, since });
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, NoConnection> {
        let (server, hello) = ((self.host.as_str(), self.port), ClientId::default());
        let from_the_start = match &self.guard {
            Guard::Tls(parameters) => Some(parameters.clone()),
            Guard::Starttls(_) | Guard::None => None,
        };
        // Who calls bounds the whole.
        let stream = smtp_stream::open(server, from_the_start).await?;
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await?;
        if let Guard::Starttls(parameters) = &self.guard {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// The one that was in use last. Those that were kept too long are closed, also where others were always at hand.
    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle();
        idle.retain(Idle::is_young);
        idle.pop().map(|idle| idle.connection)
    }

    /// What is changed under the lock can't panic.
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_young(&self) -> bool {
        self.since.elapsed() < KEPT_FOR
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
