//! `resource` at the token endpoint (RFC 8707 2.2): which of the granted resources the access token is for.

use super::super::Inner;
use super::super::error::{ErrorCode, ProtocolError};
use super::super::params::Params;
use crate::config::app::ResourceConfig;

/// The resource asked for; none means the provider itself: resources that were granted are not used unasked.
pub(super) fn check<'i>(
    inner: &'i Inner,
    params: &Params,
    granted: &[String],
) -> Result<Option<&'i ResourceConfig>, ProtocolError> {
    let invalid = |description| ProtocolError::new(ErrorCode::InvalidTarget, description);
    let Some(asked) = params.one("resource") else {
        return Ok(None);
    };
    if params.all("resource").any(|other| other != asked) {
        return Err(invalid(
            "Ask for one resource at a time: an access token is for one.",
        ));
    }
    if !granted.iter().any(|one| one == asked) {
        return Err(invalid(
            "The resource was not part of the authorization request, or is not among those of this app.",
        ));
    }
    // A resource may have left the configuration since it was granted.
    inner
        .registry
        .resource(asked)
        .map(Some)
        .ok_or_else(|| invalid("The resource is no longer known."))
}
