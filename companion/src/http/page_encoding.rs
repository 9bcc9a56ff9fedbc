//! Pages travel compressed (RFC 9110 8.4.1.3), each in the time that its own text takes.
//!
//! Most of a page is what all pages begin and end with: the style and the script. They were compressed once, and stand around what is
//! compressed for this page: a gzip stream may be made of pieces, where none refers to the one before it (RFC 1951 2, RFC 1952 2.2).

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::{Compress, CompressError, Compression, Crc, FlushCompress};
use http_body_util::BodyExt as _;

use super::encoding::accepts_gzip;

/// Not as much as could be: at this level what is a page's own weighs 2 % more and costs half of the time.
const LEVEL: Compression = Compression::new(4);

/// RFC 1952 2.3: deflate, no name, no time, no system told.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The end of a stream that ends with nothing: a last block, of fixed codes, empty (RFC 1951 3.2.3).
const END: [u8; 2] = [3, 0];

/// Compressors that are kept for the next page. Each holds a quarter of a megabyte, which takes longer to make than a page.
const KEPT: usize = 4;

/// How pages are compressed. Cheap to clone.
#[derive(Clone)]
pub struct PageEncoding(Arc<Shared>);

struct Shared {
    head: Common,
    foot: Common,
    idle: Mutex<Vec<Compress>>,
}

/// A text of many pages.
struct Common {
    text: Vec<u8>,
    /// Whole blocks of deflate.
    blocks: Vec<u8>,
}

impl Common {
    /// A text that can't be compressed here is compressed with each page.
    fn new(text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut compressor = Compress::new(Compression::best(), false);
        let text = match feed(&mut compressor, text.as_bytes(), &mut blocks) {
            Ok(()) => text.as_bytes().to_vec(),
            Err(_) => {
                blocks.clear();
                Vec::new()
            }
        };
        Self { text, blocks }
    }
}

impl PageEncoding {
    /// What most pages begin and end with. A page may do otherwise.
    pub fn new(head: &str, foot: &str) -> Self {
        Self(Arc::new(Shared {
            head: Common::new(head),
            foot: Common::new(foot),
            idle: Mutex::default(),
        }))
    }

    fn gzip(&self, page: &[u8]) -> Result<Vec<u8>, CompressError> {
        let kept = self.idle().pop();
        let mut compressor = kept.unwrap_or_else(|| Compress::new(LEVEL, false));
        let packed = self.pack(page, &mut compressor)?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(compressor);
        }
        Ok(packed)
    }

    fn pack(&self, page: &[u8], compressor: &mut Compress) -> Result<Vec<u8>, CompressError> {
        let Shared { head, foot, .. } = &*self.0;
        let mut packed = Vec::with_capacity(page.len() / 2);
        packed.extend_from_slice(&GZIP_HEADER);
        let mut own = page;
        if let Some(rest) = own.strip_prefix(&*head.text) {
            packed.extend_from_slice(&head.blocks);
            own = rest;
        }
        let without_foot = own.strip_suffix(&*foot.text);
        feed(compressor, without_foot.unwrap_or(own), &mut packed)?;
        if without_foot.is_some() {
            packed.extend_from_slice(&foot.blocks);
        }
        packed.extend_from_slice(&END);
        let mut sum = Crc::new();
        sum.update(page);
        packed.extend_from_slice(&sum.sum().to_le_bytes());
        packed.extend_from_slice(&sum.amount().to_le_bytes());
        Ok(packed)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Compress>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compresses a piece to its last byte, in whole blocks. No later piece refers to it: others come between, and the next one that this
/// compressor is given is of another page.
fn feed(compressor: &mut Compress, mut piece: &[u8], packed: &mut Vec<u8>) -> Result<(), CompressError> {
    loop {
        // What can't be compressed takes a little more room than it has.
        packed.reserve(piece.len() + 64);
        let before = compressor.total_in();
        compressor.compress_vec(piece, packed, FlushCompress::Full)?;
        let taken = usize::try_from(compressor.total_in() - before).unwrap_or(piece.len());
        piece = piece.get(taken..).unwrap_or_default();
        // Only where room is left it has said all.
        if piece.is_empty() && packed.len() < packed.capacity() {
            return Ok(());
        }
    }
}

/// Compresses the answers of what it stands around to whoever takes that, if they are text.
pub async fn encode(State(encoding): State<PageEncoding>, request: Request, next: Next) -> Response {
    let takes_gzip = accepts_gzip(request.headers());
    let response = next.run(request).await;
    if !is_text(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts
        .headers
        .append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !takes_gzip {
        return Response::from_parts(parts, body);
    }
    // A page lies in memory as a whole: nothing is waited for.
    let Ok(plain) = body.collect().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let plain = plain.to_bytes();
    let body = match encoding.gzip(&plain) {
        Ok(packed) if !plain.is_empty() => {
            parts
                .headers
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Bytes::from(packed)
        }
        _ => plain,
    };
    Response::from_parts(parts, Body::from(body))
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| {
        [&b"text/"[..], b"application/json", b"image/svg+xml"]
            .iter()
            .any(|text| kind.starts_with(text))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn unpacked(packed: &[u8]) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn rfc1952_a_page_is_what_it_was_whatever_it_begins_and_ends_with() {
        let (head, foot) = ("a{b:c}".repeat(300), "let a = 1;\n".repeat(400));
        let encoding = PageEncoding::new(&head, &foot);
        let noise: String = (0..40_000_u32)
            .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 90))
            .collect();
        let pages = [
            format!("{head}<p>this</p>{foot}"),
            format!("{head}{foot}"),
            format!("{foot} before {head}"),
            format!("{head} twice {head}"),
            format!("{head}{noise}{foot}"),
            head.clone(),
            foot.clone(),
            head[..head.len() - 1].to_owned(),
            noise.clone(),
            "neither".to_owned(),
            String::new(),
        ];
        // By one compressor, which has seen those before.
        for page in pages.iter().chain(&pages) {
            assert_eq!(unpacked(&encoding.gzip(page.as_bytes()).unwrap()), *page);
        }
        assert_eq!(encoding.idle().len(), 1);
        // What all pages hold costs a page nothing but its copy.
        let (own, all) = (
            encoding.gzip(b"this").unwrap(),
            encoding.gzip(pages[0].as_bytes()).unwrap(),
        );
        let Shared { head, foot, .. } = &*encoding.0;
        assert!(all.len() < own.len() + head.blocks.len() + foot.blocks.len() + 16);
    }

    /// What one page has told is not in another: a compressor that goes on refers to nothing that it has seen.
    #[test]
    fn a_page_can_be_read_without_the_pages_before_it() {
        let encoding = PageEncoding::new("", "");
        let page = "the same words, ".repeat(9);
        let alone = encoding.gzip(page.as_bytes()).unwrap();
        assert_eq!(unpacked(&alone), page);
        // More than the compressor's window, and it again.
        for before in [page.clone(), page.repeat(1_000), "other words, ".repeat(6_000)] {
            encoding.gzip(before.as_bytes()).unwrap();
            assert_eq!(encoding.gzip(page.as_bytes()).unwrap(), alone);
        }
        assert_eq!(encoding.idle().len(), 1);
    }
}
