//! Client authentication (RFC 6749 2.3): HTTP Basic, in the body, or none for apps that have no secret.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Inner;
use super::error::ProtocolError;
use super::params::Params;
use super::registry::App;
use crate::secrets::digest_of;

/// The methods of the token endpoint, as discovery tells them.
pub(super) const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// What a client shows for itself.
struct Credentials<'p> {
    client_id: String,
    secret: Option<Zeroizing<String>>,
    by_basic: bool,
    params: &'p Params,
}

/// The app that sends a request, once it has proved to be it.
pub(super) async fn authenticate(
    inner: &Inner,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<App>, ProtocolError> {
    let credentials = Credentials::read(headers, params)?;
    let refused = || ProtocolError::invalid_client(credentials.by_basic);
    credentials.is_one_story()?;
    let app = inner.registry.find(&credentials.client_id).await?;
    let Some(app) = app else {
        // An unknown id costs what a wrong secret costs.
        let secret = credentials.secret.as_ref().map_or("", |secret| secret.as_str());
        let _ = verify_slices_are_equal(digest_of(secret).as_bytes(), &[0; 43]);
        return Err(refused().because("unknown client"));
    };
    let authentic = match (&credentials.secret, app.is_confidential()) {
        (Some(secret), true) => app.has_secret(secret),
        (None, false) => app.has_people(),
        (Some(_), false) | (None, true) => false,
    };
    if authentic {
        Ok(app)
    } else {
        Err(refused().because("wrong secret or method"))
    }
}

impl<'p> Credentials<'p> {
    fn read(headers: &HeaderMap, params: &'p Params) -> Result<Self, ProtocolError> {
        let mut authorization = headers.get_all(header::AUTHORIZATION).into_iter();
        if let Some(value) = authorization.next() {
            if authorization.next().is_some() {
                return Err(ProtocolError::invalid_request("Send one Authorization header."));
            }
            let refused = || ProtocolError::invalid_client(true).because("malformed Authorization header");
            let (client_id, secret) = basic(value.as_bytes()).ok_or_else(refused)?;
            return Ok(Self {
                client_id,
                secret: Some(secret),
                by_basic: true,
                params,
            });
        }
        let client_id = params.one("client_id").ok_or_else(|| {
            ProtocolError::invalid_client(false).because("no Authorization header and no client_id")
        })?;
        let secret = params
            .one("client_secret")
            .map(|secret| Zeroizing::new(secret.to_owned()));
        Ok(Self {
            client_id: client_id.to_owned(),
            secret,
            by_basic: false,
            params,
        })
    }

    /// RFC 6749 2.3: one method per request, and one id.
    fn is_one_story(&self) -> Result<(), ProtocolError> {
        let body_id = self.params.one("client_id");
        let twice = self.by_basic && self.params.one("client_secret").is_some();
        if twice || body_id.is_some_and(|id| id != self.client_id) {
            return Err(ProtocolError::invalid_request(
                "Authenticate once: by the Authorization header or by client_id and client_secret in the body.",
            ));
        }
        Ok(())
    }
}

/// RFC 6749 2.3.1: id and secret are form-encoded before they are joined.
fn basic(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id)?, Zeroizing::new(form_decode(secret)?)))
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    Some(
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .ok()?
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_2_3_1_id_and_secret_are_form_decoded() {
        let header = |text: &str| format!("basic {}", STANDARD.encode(text));
        let (id, secret) = basic(header("my%3Aapp:a%2Bb+c%25").as_bytes()).unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("my:app", "a+b c%"));
        for bad in ["Bearer abc", "Basic !!!", "Basic", &header("no colon"), ""] {
            assert!(basic(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
