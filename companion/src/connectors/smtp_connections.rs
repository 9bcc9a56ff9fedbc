//! Connections to the mail server: opened, logged in, and kept for a while between mails.
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
use tokio::time::Instant;

/// Of those that a rush of mails has opened, so many stay.
const MOST_KEPT: usize = 4;
/// Mail servers close what is silent for some minutes.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Whoever doesn't answer a NOOP in this time is not waited for: another connection is opened.
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

/// Opens and keeps connections.
pub(super) struct Connections {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) guard: Guard,
    pub(super) credentials: Option<Credentials>,
    pub(super) kept: Mutex<Vec<Kept>>,
}

/// A connection between two mails.
pub(super) struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl Connections {
    /// One that may send. Where it isn't had, nobody's mail can be sent.
    pub(super) async fn take(&self) -> Result<AsyncSmtpConnection, Error> {
        while let Some(Kept {
            mut connection,
            since,
        }) = self.take_kept()
        {
            let is_young = since.elapsed() < KEPT_FOR;
            if is_young && tokio::time::timeout(STILL_THERE, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
        }
        self.open().await
    }

    /// Takes back one whose conversation has ended well.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        let since = Instant::now();
        let mut kept = self.kept();
        if kept.len() < MOST_KEPT {
            kept.push(Kept { connection, since });
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
        let (server, hello) = ((self.host.as_str(), self.port), ClientId::default());
        let from_the_start = match &self.guard {
            Guard::Tls(parameters) => Some(parameters.clone()),
            Guard::Starttls(_) | Guard::None => None,
        };
        // Who calls bounds the whole.
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &hello, from_the_start, None).await?;
        if let Guard::Starttls(parameters) = &self.guard {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn take_kept(&self) -> Option<Kept> {
        self.kept().pop()
    }

    /// What is changed under the lock can't panic.
    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
