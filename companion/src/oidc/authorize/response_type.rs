//! `response_type`: `code` alone. The implicit flow and its hybrids put tokens into addresses (RFC 9700 2.1.2).

use super::super::error::{ErrorCode, ProtocolError};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    match asked.params.required("response_type")? {
        "code" => Ok(()),
        _ => Err(ProtocolError::new(
            ErrorCode::UnsupportedResponseType,
            "Send response_type=code: this provider knows the authorization code flow alone.",
        )),
    }
}
