//! A connection that is kept, as bytes: cheaper than any server, so that the server is what is measured.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No answer of the companion is larger.
const MOST_BYTES: usize = 1024 * 1024;

/// A connection over which requests follow each other.
pub(crate) struct Wire {
    stream: TcpStream,
    /// What has arrived of the answer.
    buffer: Vec<u8>,
}

/// An answer, as it stands in the connection's buffer.
pub(crate) struct Answer<'w> {
    pub(crate) status: u16,
    head: &'w [u8],
    body: &'w [u8],
    framing: Framing,
}

/// Where a body ends (RFC 9112 6).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Wire {
    pub(crate) async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads its whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, framing) = loop {
            self.read_more().await?;
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break (end + 4, framing(&self.buffer[..end])?);
            }
        };
        let end = loop {
            let body = &self.buffer[head..];
            let end = match framing {
                Framing::Length(length) => (body.len() >= length).then_some(length),
                Framing::Chunked => chunks(body, |_| {})?,
            };
            match end {
                Some(end) => break end,
                None => self.read_more().await?,
            }
        };
        let (head, body) = self.buffer[..head + end].split_at(head);
        // "HTTP/1.1 200 …"
        let status = head
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let status = status.and_then(|digits| digits.parse().ok());
        Ok(Answer {
            status: status.context("an answer without a status")?,
            head,
            body,
            framing,
        })
    }

    async fn read_more(&mut self) -> Result<()> {
        if self.buffer.len() > MOST_BYTES {
            bail!("an answer of more than {MOST_BYTES} bytes");
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection in the middle of an answer");
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// The headers in their order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = std::str::from_utf8(self.head).unwrap_or_default();
        let lines = text.split("\r\n").skip(1);
        lines.filter_map(|line| line.split_once(": "))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body as it travelled, out of its chunks.
    pub(crate) fn body(&self) -> Result<Vec<u8>> {
        if self.framing != Framing::Chunked {
            return Ok(self.body.to_vec());
        }
        let mut whole = Vec::new();
        chunks(self.body, |chunk| whole.extend_from_slice(chunk))?;
        Ok(whole)
    }

    /// The body as text, unpacked.
    pub(crate) fn text(&self) -> Result<String> {
        let body = self.body()?;
        if self.header("content-encoding") != Some("gzip") {
            return Ok(String::from_utf8(body)?);
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*body).read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Finds the framing without reading the other headers. The companion and hyper write names in lower case.
fn framing(head: &[u8]) -> Result<Framing> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    if let Some(at) = memmem::find(head, LENGTH) {
        let digits = head[at + LENGTH.len()..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
        return Ok(Framing::Length(length));
    }
    memmem::find(head, b"\r\ntransfer-encoding: chunked").context("an answer without a framing")?;
    Ok(Framing::Chunked)
}

/// Gives every chunk to `take`, and the end of the last one; none where more is to come.
fn chunks(body: &[u8], mut take: impl FnMut(&[u8])) -> Result<Option<usize>> {
    let mut at = 0;
    loop {
        let Some(line) = memmem::find(&body[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&body[at..at + line])?, 16)?;
        let start = at + line + 2;
        let Some(chunk) = body.get(start..start + size + 2) else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(start + 2));
        }
        take(&chunk[..size]);
        at = start + size + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9112_6_the_framing_is_read_from_the_head() {
        let of = |head: &[u8]| framing(head).unwrap();
        assert!(of(b"HTTP/1.1 200 OK\r\ncontent-length: 42") == Framing::Length(42));
        assert!(of(b"HTTP/1.1 303 x\r\ncontent-length: 0\r\ndate: x") == Framing::Length(0));
        assert!(of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked") == Framing::Chunked);
        assert!(framing(b"HTTP/1.1 200 OK\r\ndate: x").is_err());
    }

    #[test]
    fn rfc9112_7_1_chunks_are_put_together_once_the_last_is_there() {
        let body = b"4\r\nWiki\r\nA\r\npedia in \n\r\n0\r\n\r\n";
        for end in 0..body.len() {
            assert_eq!(chunks(&body[..end], |_| {}).unwrap(), None, "{end}");
        }
        let mut whole = Vec::new();
        assert_eq!(
            chunks(body, |chunk| whole.extend_from_slice(chunk)).unwrap(),
            Some(body.len())
        );
        assert_eq!(whole, b"Wikipedia in \n");
    }
}
