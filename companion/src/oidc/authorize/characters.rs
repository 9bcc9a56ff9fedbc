//! No control character in any parameter: nothing that we show, log or send on can break a line or end a string.

use super::super::error::ProtocolError;
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    match asked.params.with_control_character() {
        None => Ok(()),
        Some(name) => Err(ProtocolError::invalid_request(format!(
            "The parameter {name} holds a control character."
        ))),
    }
}
