//! No parameter twice (RFC 6749 3.1), but for `resource` (RFC 8707 2).

use super::super::error::ProtocolError;
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    match asked.params.repeated() {
        None => Ok(()),
        Some(name) => Err(ProtocolError::invalid_request(format!(
            "Send the parameter {name} once."
        ))),
    }
}
