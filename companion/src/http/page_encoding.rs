//! Pages travel compressed (RFC 9110 8.4.1.3), each in the time that its own text takes.
//!
//! Most of a page is what all pages hold: the style and the script. They were compressed once, and are put between what is
//! compressed for this page: a gzip stream may be made of pieces, where none refers to the one before it (RFC 1951 2, RFC 1952 2.2).

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::{Compress, CompressError, Compression, Crc, FlushCompress, Status};
use http_body_util::BodyExt as _;
use memchr::memmem;

use super::encoding::accepts_gzip;

/// Not as much as could be: at this level what is a page's own weighs 2 % more and costs half of the time.
const LEVEL: Compression = Compression::new(4);

/// RFC 1952 2.3: deflate, no name, no time, no system told.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Compressors that are kept for the next page. Each holds a quarter of a megabyte, which takes longer to make than a page.
const KEPT: usize = 4;

/// How pages are compressed. Cheap to clone.
#[derive(Clone)]
pub struct PageEncoding(Arc<Shared>);

struct Shared {
    common: Vec<Common>,
    idle: Mutex<Vec<Compress>>,
}

/// A text of many pages.
struct Common {
    text: memmem::Finder<'static>,
    /// Whole blocks of deflate.
    blocks: Vec<u8>,
}

impl PageEncoding {
    /// `common` are the texts that most pages hold, in the order in which they do. A page may lack any of them.
    pub fn new<'a>(common: impl IntoIterator<Item = &'a str>) -> Self {
        let common = common.into_iter().filter_map(|text| {
            let mut blocks = Vec::new();
            // A text that can't be compressed here is compressed with each page.
            feed(
                &mut Compress::new(Compression::best(), false),
                text.as_bytes(),
                &mut blocks,
                FlushCompress::Full,
            )
            .ok()?;
            let text = memmem::Finder::new(text).into_owned();
            Some(Common { text, blocks })
        });
        Self(Arc::new(Shared {
            common: common.collect(),
            idle: Mutex::default(),
        }))
    }

    fn gzip(&self, page: &[u8]) -> Result<Vec<u8>, CompressError> {
        let kept = self.idle().pop();
        let mut compressor = kept.unwrap_or_else(|| Compress::new(LEVEL, false));
        let packed = self.pack(page, &mut compressor);
        compressor.reset();
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(compressor);
        }
        packed
    }

    fn pack(&self, page: &[u8], compressor: &mut Compress) -> Result<Vec<u8>, CompressError> {
        let mut packed = Vec::with_capacity(page.len() / 2);
        packed.extend_from_slice(&GZIP_HEADER);
        let mut rest = page;
        for common in &self.0.common {
            let Some(at) = common.text.find(rest) else {
                continue;
            };
            let (own, from_common) = rest.split_at(at);
            // Full: no later piece refers to this one, which others come between.
            feed(compressor, own, &mut packed, FlushCompress::Full)?;
            packed.extend_from_slice(&common.blocks);
            rest = &from_common[common.text.needle().len()..];
        }
        feed(compressor, rest, &mut packed, FlushCompress::Finish)?;
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

/// Compresses a piece to its last byte.
fn feed(
    compressor: &mut Compress,
    mut piece: &[u8],
    packed: &mut Vec<u8>,
    flush: FlushCompress,
) -> Result<(), CompressError> {
    loop {
        // What can't be compressed takes a little more room than it has.
        packed.reserve(piece.len() + 64);
        let before = compressor.total_in();
        let status = compressor.compress_vec(piece, packed, flush)?;
        let taken = usize::try_from(compressor.total_in() - before).unwrap_or(piece.len());
        piece = piece.get(taken..).unwrap_or_default();
        // Only where room is left it has said all.
        if status == Status::StreamEnd || (piece.is_empty() && packed.len() < packed.capacity()) {
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
    fn rfc1952_a_page_is_what_it_was_whichever_common_texts_it_holds() {
        let (style, script) = ("a{b:c}".repeat(300), "let a = 1;\n".repeat(400));
        let encoding = PageEncoding::new([style.as_str(), script.as_str()]);
        let noise: String = (0..40_000_u32)
            .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 90))
            .collect();
        for page in [
            format!("<p>{style}</p><i>{script}</i>"),
            format!("{style}{script}"),
            format!("{script} before {style}"),
            format!("{style} twice {style}"),
            format!("{noise}{style}{noise}{script}{noise}"),
            script.clone(),
            noise.clone(),
            "neither".to_owned(),
            String::new(),
        ] {
            // The second time by a compressor that was used before.
            for _ in 0..2 {
                assert_eq!(unpacked(&encoding.gzip(page.as_bytes()).unwrap()), page);
            }
        }
        assert_eq!(encoding.idle().len(), 1);
    }
}
