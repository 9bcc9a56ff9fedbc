//! JSON documents that are written once and served many times: discovery and the key set.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

/// Seconds that a document may be kept. A new key signs only after this (see [`super::keys`]).
pub(super) const MAX_AGE_SECONDS: u64 = 300;
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A JSON document with its `ETag` (RFC 9110 8.8.3).
#[derive(Clone, Debug)]
pub(super) struct Document {
    body: Bytes,
    etag: HeaderValue,
}

impl Document {
    pub(super) fn new(json: &serde_json::Value) -> Self {
        let body = Bytes::from(json.to_string());
        let etag = format!(
            "\"{}\"",
            URL_SAFE_NO_PAD.encode(&digest(&SHA256, &body).as_ref()[..12])
        );
        // base64url in quotes is always fit for a header.
        let etag = HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("\"0\""));
        Self { body, etag }
    }

    /// Answers a request for the document: 304 where the client has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response<Body> {
        let known = request
            .get(header::IF_NONE_MATCH)
            .is_some_and(|sent| self.matches(sent.as_bytes()));
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Bytes::new())
        } else {
            (StatusCode::OK, self.body.clone())
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }

    fn matches(&self, sent: &[u8]) -> bool {
        sent.split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}
