//! Listeners on loopback addresses alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::LoopbackError;

/// After a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// On one port of IPv4, IPv6 or, where it can be had, both: `localhost` may be either.
pub(super) struct Listeners {
    first: TcpListener,
    address: SocketAddr,
    other: Option<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind(ports: impl IntoIterator<Item = u16>) -> Result<Self, LoopbackError> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for port in ports {
            match Self::bind_port(port).await {
                Ok(listeners) => return Ok(listeners),
                Err(error) => failure = error,
            }
        }
        Err(LoopbackError::NoPort(failure))
    }

    async fn bind_port(port: u16) -> io::Result<Self> {
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        let first = match TcpListener::bind((v4, port)).await {
            Ok(listener) => listener,
            // Some machines have no IPv4 at all.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => TcpListener::bind((v6, port)).await?,
        };
        let address = first.local_addr()?;
        let other = if address.is_ipv4() {
            TcpListener::bind((v6, address.port())).await.ok()
        } else {
            None
        };
        Ok(Self {
            first,
            address,
            other,
        })
    }

    /// Host and port of the redirect URI.
    pub(super) fn authority(&self, localhost: bool) -> String {
        if localhost {
            format!("localhost:{}", self.address.port())
        } else {
            self.address.to_string()
        }
    }

    /// The next connection. A failure to take one, such as too many open files, ends no sign-in: it is tried again until somebody
    /// gives up waiting.
    pub(super) async fn accept(&self) -> TcpStream {
        patiently(|| self.accept_once()).await
    }

    async fn accept_once(&self) -> io::Result<TcpStream> {
        let (stream, _) = match &self.other {
            None => self.first.accept().await?,
            Some(other) => tokio::select! {
                accepted = self.first.accept() => accepted?,
                accepted = other.accept() => accepted?,
            },
        };
        Ok(stream)
    }
}

async fn patiently<T, F: Future<Output = io::Result<T>>>(mut accept: impl FnMut() -> F) -> T {
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!("a connection could not be taken: {}", error.kind());
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_can_not_be_accepted_is_tried_again_after_a_pause() {
        let begun = tokio::time::Instant::now();
        let mut tries = 0;
        let accepted = patiently(|| {
            tries += 1;
            std::future::ready(match tries {
                3 => Ok(tries),
                _ => Err(io::Error::other("too many open files")),
            })
        })
        .await;
        assert_eq!(accepted, 3);
        assert!(begun.elapsed() >= 2 * PAUSE);
    }
}
