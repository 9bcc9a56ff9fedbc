//! `id_token_hint` (OIDC Core 3.1.2.1): the person that the app expects. An expired one still hints.

use super::super::error::ProtocolError;
use super::super::hint;
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<Option<String>, ProtocolError> {
    let Some(token) = asked.params.one("id_token_hint") else {
        return Ok(None);
    };
    let claims = asked
        .ring
        .as_deref()
        .and_then(|ring| hint::read(ring, asked.issuer, token));
    match claims {
        Some(claims) if claims.aud == asked.app.client_id => Ok(Some(claims.sub)),
        _ => Err(ProtocolError::invalid_request(
            "The id_token_hint is not an ID token that this provider gave to this app.",
        )),
    }
}
