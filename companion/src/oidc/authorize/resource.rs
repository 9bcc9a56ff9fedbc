//! `resource` (RFC 8707 2): APIs of the configuration that the app may call.

use super::super::error::{ErrorCode, ProtocolError};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<Vec<String>, ProtocolError> {
    let mut resources: Vec<String> = Vec::new();
    for indicator in asked.params.all("resource") {
        if asked.registry.resource(indicator).is_none() || !asked.app.may_use(indicator) {
            return Err(ProtocolError::new(
                ErrorCode::InvalidTarget,
                "A resource is unknown, or not among the resources of this app.",
            ));
        }
        if !resources.iter().any(|known| known == indicator) {
            resources.push(indicator.to_owned());
        }
    }
    Ok(resources)
}
