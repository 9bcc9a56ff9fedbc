//! JSON documents that are written once and served many times: discovery and the key set.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::encoding::accepts_gzip;

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
    body: Bytes,
    etag: HeaderValue,
}

impl Form {
    fn new(body: Vec<u8>) -> Self {
        let etag = format!(
            "\"{}\"",
            URL_SAFE_NO_PAD.encode(&digest(&SHA256, &body).as_ref()[..12])
        );
        Self {
            body: body.into(),
            // base64url in quotes is always fit for a header.
            etag: HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("\"0\"")),
        }
    }

    fn matches(&self, sent: &[u8]) -> bool {
        sent.split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

impl Document {
    pub(super) fn new(json: &serde_json::Value) -> Self {
        let plain = json.to_string().into_bytes();
        Self {
            gzip: Form::new(compressed(&plain)),
            plain: Form::new(plain),
        }
    }

    /// Answers a request for the document: compressed to whoever takes that, 304 where the client has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response<Body> {
        let gzip = accepts_gzip(request);
        let form = if gzip { &self.gzip } else { &self.plain };
        let known = request
            .get(header::IF_NONE_MATCH)
            .is_some_and(|sent| form.matches(sent.as_bytes()));
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            (StatusCode::OK, form.body.clone())
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::ETAG, form.etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory can't fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}
