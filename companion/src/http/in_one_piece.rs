//! A connection that hands the system answers in one piece.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of an answer at most that is put together here: pages as browsers take them, and all that programs ask for often.
const MOST_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where pieces are put together: one for each thread, since one for each connection would be held as long as that is.
    static WHOLE: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(MOST_BYTES));
}

/// hyper has every answer gathered from its pieces (`writev`), that too which is a head alone: to write one piece (`send`)
/// takes the system a microsecond less, and to put two together takes less than that.
pub(super) struct InOnePiece(pub(super) TcpStream);

impl AsyncRead for InOnePiece {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for InOnePiece {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, piece: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, piece)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.0);
        match pieces {
            [piece] => stream.poll_write(cx, piece),
            _ if pieces.iter().map(|piece| piece.len()).sum::<usize>() > MOST_BYTES => {
                stream.poll_write_vectored(cx, pieces)
            }
            _ => WHOLE.with_borrow_mut(|whole| {
                whole.clear();
                for piece in pieces {
                    whole.extend_from_slice(piece);
                }
                stream.poll_write(cx, whole)
            }),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Writes pieces to a connection whose other end reads, and answers what arrived.
    async fn sent(pieces: &[&[u8]]) -> Vec<u8> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let reading = tokio::spawn(async move {
            let mut arrived = Vec::new();
            listener
                .accept()
                .await
                .unwrap()
                .0
                .read_to_end(&mut arrived)
                .await
                .unwrap();
            arrived
        });
        let mut stream = InOnePiece(TcpStream::connect(address).await.unwrap());
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            let written = stream.write_vectored(left).await.unwrap();
            IoSlice::advance_slices(&mut left, written);
        }
        stream.shutdown().await.unwrap();
        reading.await.unwrap()
    }

    #[tokio::test]
    async fn what_is_written_arrives_in_its_order_whatever_its_pieces() {
        let large = vec![b'l'; MOST_BYTES];
        let larger = vec![b'L'; 4 * 1024 * 1024];
        for pieces in [
            &[&b"head alone"[..]][..],
            &[b"head", b"body"],
            &[b"head", &large],
            &[&large[..MOST_BYTES - 4], b"body"],
            &[b"head", &larger, b"tail"],
        ] {
            assert_eq!(sent(pieces).await, pieces.concat());
        }
    }
}
