//! `request` and `request_uri` (OIDC Core 6) and `registration` (7.2.1): refused, each with its own error.

use super::super::error::{ErrorCode, ProtocolError};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    let refused = [
        (
            "request",
            ErrorCode::RequestNotSupported,
            "Send the parameters themselves, not a request object.",
        ),
        (
            "request_uri",
            ErrorCode::RequestUriNotSupported,
            "Send the parameters themselves, not a request_uri.",
        ),
        (
            "registration",
            ErrorCode::RegistrationNotSupported,
            "Register the app with the operator of this provider; it can't register itself.",
        ),
    ];
    match refused
        .into_iter()
        .find(|(name, ..)| asked.params.one(name).is_some())
    {
        None => Ok(()),
        Some((_, code, description)) => Err(ProtocolError::new(code, description)),
    }
}
