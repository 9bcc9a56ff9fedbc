//! The way a request came: apps that must push their requests (RFC 9126 6) are refused what a browser brings.

use super::super::error::ProtocolError;
use super::Asked;

/// The way a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oidc) enum Channel {
    /// In the address, by the browser.
    Browser,
    /// From the app itself (RFC 9126).
    Pushed,
}

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    if asked.channel == Channel::Browser && asked.app.requires_pushed_requests {
        return Err(ProtocolError::invalid_request(
            "This app pushes its authorization requests (RFC 9126) and sends the request_uri it gets for them.",
        ));
    }
    Ok(())
}
