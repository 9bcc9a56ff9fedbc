//! `response_mode`: the answer rides in the query of the redirect URI.

use super::super::error::ProtocolError;
use super::Asked;

/// The supported modes, as discovery tells them.
pub(in crate::oidc) const SUPPORTED: [&str; 1] = ["query"];

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    match asked.params.one("response_mode") {
        None => Ok(()),
        Some(mode) if SUPPORTED.contains(&mode) => Ok(()),
        Some(_) => Err(ProtocolError::invalid_request(format!(
            "This response_mode is not supported. Leave it out, or send one of: {}.",
            SUPPORTED.join(", ")
        ))),
    }
}
