//! `max_age` (OIDC Core 3.1.2.1): seconds since the person authenticated.

use super::super::error::ProtocolError;
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<Option<u32>, ProtocolError> {
    let Some(text) = asked.params.one("max_age") else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(ProtocolError::invalid_request(
            "max_age is a whole number of seconds.",
        )),
    }
}
