//! Outgoing HTTP, for all that the companion calls by itself: webhooks, logout tokens, providers of messages.
//!
//! Every call ends in time, follows no redirect, uses no proxy of the environment, and keeps no more of an answer
//! than it may. Where the target was not named by the operator alone, only public addresses are reached
//! ([`Targets::Public`], SR-61): the address is checked after its name was resolved, and that very address is
//! connected to, so that a name which answers differently the second time gains nothing.

mod resolver;
pub mod signature;
mod targets;

use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;
use url::{Host, Url};

pub use targets::is_public;

use resolver::PublicOnly;

/// The most bytes of an answer that are kept. What comes after them is not read.
pub const MOST_ANSWER: usize = 16 * 1024;

/// For a connection: its name, its address, its TLS. Of the whole time of a call, which is longer where messages are carried,
/// so that who takes no connection is known from who takes one and says nothing. Long enough for two lost first packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

const USER_AGENT: &str = concat!("keyback/", env!("CARGO_PKG_VERSION"));

/// Which addresses a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Every address: the operator named the target and wants it so.
    Any,
    /// Public addresses alone.
    Public,
}

/// A call to make.
#[derive(Clone)]
pub struct Call<'a> {
    pub method: Method,
    pub url: &'a Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// For the whole call: name look-up, connection, request and answer.
    pub timeout: Duration,
    pub targets: Targets,
}

/// Headers, body and path may hold codes, tokens and keys.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Its beginning: at most [`MOST_ANSWER`] bytes, and what came of it where it broke off or took too long. The status
    /// has been given by then, and to throw it away would be to ask a second time for what was done.
    pub body: Bytes,
}

/// Why no answer came. Told to the operator, and says nothing of the address beyond its host: its path may be a
/// secret.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("{0} is not a public address, and only such may be reached here")]
    NotPublic(IpAddr),
    #[error("no answer came within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("its name can't be resolved")]
    NoSuchName(#[source] std::io::Error),
    #[error("it can't be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the HTTP client can't be built")]
    Client(#[source] reqwest::Error),
}

/// Makes calls. The clients are built when first needed: the certificates of the system take memory.
#[derive(Debug, Default)]
pub struct OutgoingHttp {
    any: OnceCell<reqwest::Client>,
    public: OnceCell<reqwest::Client>,
}

impl OutgoingHttp {
    /// Makes a call, once: trying again is the caller's.
    ///
    /// # Errors
    ///
    /// [`CallError`] where no answer came. An answer of any status is an [`Answer`].
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let client = match call.targets {
            Targets::Any => self.any.get_or_try_init(async || build(None)).await,
            Targets::Public => {
                check_literal(call.url)?;
                self.public
                    .get_or_try_init(async || build(Some(PublicOnly)))
                    .await
            }
        };
        let request = client
            .map_err(CallError::Client)?
            .request(call.method, call.url.clone())
            .headers(call.headers)
            .body(call.body)
            .timeout(call.timeout);
        let mut response = request.send().await.map_err(|error| told(error, call.timeout))?;
        let mut body = BytesMut::new();
        while body.len() < MOST_ANSWER {
            let Ok(Some(chunk)) = response.chunk().await else {
                break;
            };
            body.extend_from_slice(&chunk[..chunk.len().min(MOST_ANSWER - body.len())]);
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
        })
    }
}

impl CallError {
    /// Whether the peer may have been there, and have failed at what it was sent.
    pub fn may_be_about_the_call(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Unreachable(error) => !error.is_connect(),
            Self::NotPublic(_) | Self::NoSuchName(_) | Self::Client(_) => false,
        }
    }

    /// The whole reason with its causes, for the log and a job's last error.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// Whether a call may go to an address, as far as that is known without making it: its name leads somewhere, and where
/// it must, to something public.
///
/// # Errors
///
/// [`CallError::NoSuchName`] and [`CallError::NotPublic`].
pub async fn check_target(url: &Url, targets: Targets) -> Result<(), CallError> {
    let host = match url.host() {
        Some(Host::Domain(host)) => host,
        _ if targets == Targets::Public => return check_literal(url),
        _ => return Ok(()),
    };
    let found = resolver::look_up(host).await.map_err(CallError::NoSuchName)?;
    match resolver::public(found) {
        Err(refused) if targets == Targets::Public => Err(CallError::NotPublic(refused.0)),
        _ => Ok(()),
    }
}

fn build(resolver: Option<PublicOnly>) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT);
    if let Some(resolver) = resolver {
        builder = builder.dns_resolver(resolver);
    }
    builder.build()
}

/// An address that stands in the URL itself is not resolved, so the resolver never sees it.
fn check_literal(url: &Url) -> Result<(), CallError> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if is_public(address) {
        Ok(())
    } else {
        Err(CallError::NotPublic(address))
    }
}

fn told(error: reqwest::Error, timeout: Duration) -> CallError {
    if let Some(address) = resolver::refused(&error) {
        CallError::NotPublic(address)
    } else if error.is_timeout() && !error.is_connect() {
        CallError::TimedOut(timeout)
    } else {
        CallError::Unreachable(error.without_url())
    }
}

#[cfg(test)]
mod tests;
