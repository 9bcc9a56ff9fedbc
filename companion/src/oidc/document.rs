//! JSON documents that are written once and served many times: discovery and the key set.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;

use crate::http::encoding::accepts_gzip;
use crate::http::headers::Guards;

/// Seconds that a document may be kept. A new key signs only after this (see [`super::keys`]).
pub(super) const MAX_AGE_SECONDS: u64 = 300;
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A JSON document in both of its forms.
#[derive(Clone, Debug)]
pub(super) struct Document {
    plain: Form,
    /// Compressed once, not for everybody who asks.
    gzip: Form,
}

/// A form of a document, with an `ETag` of its own (RFC 9110 8.8.3).
#[derive(Clone, Debug)]
struct Form {
    /// All headers of the answer, those that every answer carries among them: put together once.
    headers: HeaderMap,
    body: Bytes,
    etag: HeaderValue,
}

impl Form {
    fn new(body: Vec<u8>, encoding: Option<HeaderValue>, guards: &Guards) -> Self {
        let etag = format!(
            "\"{}\"",
            URL_SAFE_NO_PAD.encode(&digest(&SHA256, &body).as_ref()[..12])
        );
        // base64url in quotes is always fit for a header.
        let etag = HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("\"0\""));
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(encoding.map(|encoding| (header::CONTENT_ENCODING, encoding)));
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        guards.put_on(&mut headers);
        Self {
            headers,
            body: body.into(),
            etag,
        }
    }

    fn matches(&self, sent: &[u8]) -> bool {
        sent.split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

impl Document {
    /// `guards` are the headers that every answer carries.
    pub(super) fn new(json: &serde_json::Value, guards: &Guards) -> Self {
        let plain = json.to_string().into_bytes();
        let gzip = HeaderValue::from_static("gzip");
        Self {
            gzip: Form::new(compressed(&plain), Some(gzip), guards),
            plain: Form::new(plain, None, guards),
        }
    }

    /// Answers a request for the document: compressed to whoever takes that, 304 where the client has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let form = if accepts_gzip(request) {
            &self.gzip
        } else {
            &self.plain
        };
        let known = request
            .get(header::IF_NONE_MATCH)
            .is_some_and(|sent| form.matches(sent.as_bytes()));
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            (StatusCode::OK, form.body.clone())
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = form.headers.clone();
        response
    }
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory can't fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}
