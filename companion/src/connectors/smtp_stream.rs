//! The stream to a mail server, of whose answers none is read without end.
//!
//! The mail library looks at the length of a line once the line has ended: of one that doesn't end it would keep as much as comes
//! until the time of the mail is over. It takes a stream of ours, but for TLS from the first byte, which is therefore begun here.

#![expect(
    deprecated,
    reason = "the library's only way to begin TLS on a stream of ours before it speaks SMTP"
)]

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead as _, AsyncWrite as _};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{AsyncNetworkStream, AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The most bytes of one answer, a chain of certificates too. Honest answers have some hundred. The library reads an answer of many
/// lines anew with each line, so that twice as much would cost four times the work.
const MOST_ANSWER: usize = 32 * 1024;

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoStream {
    #[error("the mail server can't be reached: {0}")]
    Unreachable(#[from] io::Error),
    #[error(transparent)]
    Tls(#[from] Error),
}

/// Opens one, with TLS where there are parameters for it.
pub(super) async fn open(
    server: (&str, u16),
    tls: Option<TlsParameters>,
) -> Result<Box<dyn AsyncTokioStream>, NoStream> {
    let stream = Box::new(Bounded {
        stream: TcpStream::connect(server).await?,
        left: MOST_ANSWER,
    });
    let Some(parameters) = tls else {
        return Ok(stream);
    };
    let mut encrypted = AsyncNetworkStream::use_existing_tokio1(stream);
    encrypted.upgrade_tls(parameters).await?;
    Ok(Box::new(Encrypted(encrypted)))
}

/// Fails where more comes than an answer has, without a word of ours in between.
#[derive(Debug)]
struct Bounded {
    stream: TcpStream,
    left: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        match self.left.checked_sub(into.filled().len() - before) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::Error::other("an answer of the mail server doesn't end"))),
        }
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.left = MOST_ANSWER;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// The library's TLS, as a stream that the library takes.
#[derive(Debug)]
struct Encrypted(AsyncNetworkStream);

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.0).poll_read(context, into.initialize_unfilled()))?;
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}
