//! One request through the port, with the limits that hold for every transport.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tracing::Instrument as _;
use url::Url;

use super::{HttpTransport, TransportError};

/// The largest response that is read, of any endpoint.
pub(crate) const BODY_LIMIT: usize = 512 * 1024;

/// A response whose size is within the limit.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Whether the body claims to be JSON. A missing header is taken for JSON, as oauth2 does.
    pub(crate) fn is_json(&self) -> bool {
        let Some(value) = self.headers.get(CONTENT_TYPE) else {
            return true;
        };
        let Ok(value) = value.to_str() else { return false };
        let media_type = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    }

    /// The `max-age` of Cache-Control in seconds (RFC 9111 section 5.2.2.1).
    pub(crate) fn max_age(&self) -> Option<u64> {
        let directives = self.headers.get(CACHE_CONTROL)?.to_str().ok()?;
        directives.split(',').find_map(|directive| {
            let (name, value) = directive.trim().split_once('=')?;
            name.eq_ignore_ascii_case("max-age")
                .then(|| value.trim_matches('"').parse().ok())?
        })
    }
}

/// A GET for JSON, with an access token where one is given (RFC 6750 section 2.1).
pub(crate) async fn get(
    transport: &dyn HttpTransport,
    url: &Url,
    access_token: Option<&str>,
) -> Result<Answer, TransportError> {
    let mut request = http::Request::get(url.as_str())
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .body(Bytes::new())
        .map_err(TransportError::other)?;
    if let Some(token) = access_token {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(TransportError::other)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    send(transport, request).await
}

/// A form for an endpoint that answers with JSON, with the `Authorization` that is given.
pub(crate) fn form(
    url: &Url,
    fields: String,
    authorization: Option<HeaderValue>,
) -> Result<http::Request<Bytes>, TransportError> {
    let mut request = http::Request::post(url.as_str())
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        )
        .body(Bytes::from(fields))
        .map_err(TransportError::other)?;
    if let Some(value) = authorization {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// Every request of this crate goes through here, and has a span: where to and with what status, and nothing of what is sent
/// or answered. A query may hold a secret, so it is left out.
pub(crate) async fn send(
    transport: &dyn HttpTransport,
    request: http::Request<Bytes>,
) -> Result<Answer, TransportError> {
    let span = tracing::debug_span!(
        "keyback_request",
        method = %request.method(),
        host = request.uri().host(),
        path = request.uri().path(),
        status = tracing::field::Empty,
    );
    async move {
        let (head, body) = transport.send(request).await?.into_parts();
        tracing::Span::current().record("status", head.status.as_u16());
        if body.len() > BODY_LIMIT {
            return Err(TransportError::TooLarge { limit: BODY_LIMIT });
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
    .instrument(span)
    .await
}
