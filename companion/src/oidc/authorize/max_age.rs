//! `max_age` (OIDC Core 3.1.2.1): seconds since the person authenticated.

use super::super::error::ProtocolError;
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<Option<u32>, ProtocolError> {
    let Some(text) = asked.params.one("max_age") else {
        return Ok(None);
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ProtocolError::invalid_request(
            "max_age is a whole number of seconds.",
        ));
    }
    // A number too large to be held is longer than any session lives.
    Ok(Some(text.parse().unwrap_or(u32::MAX)))
}
