//! A client's id and secret in the Authorization header (RFC 6749 section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::transport::TransportError;

/// `Basic` with both form-encoded, as that section asks.
pub(crate) fn authorization(client_id: &str, secret: &Secret) -> Result<HeaderValue, TransportError> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let (id, secret) = (encoded(client_id), Zeroizing::new(encoded(secret.expose())));
    let pair = Zeroizing::new(format!("{id}:{}", *secret));
    let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&basic).map_err(TransportError::other)?;
    value.set_sensitive(true);
    Ok(value)
}
