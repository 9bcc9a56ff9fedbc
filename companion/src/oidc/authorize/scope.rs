//! `scope`: what is granted of what is asked. Scopes that mean nothing here are ignored (OIDC Core 3.1.2.1);
//! the token answer tells those that are granted (RFC 6749 3.3).

use super::super::error::{ErrorCode, ProtocolError};
use super::super::scope::{Scopes, is_standard};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<Scopes, ProtocolError> {
    let invalid = |description| ProtocolError::new(ErrorCode::InvalidScope, description);
    let text = asked
        .params
        .one("scope")
        .ok_or_else(|| invalid("Send a scope; for a sign-in it begins with openid."))?;
    let of_a_resource = |scope: &str| {
        let mut asked_for = asked
            .params
            .all("resource")
            .filter_map(|one| asked.registry.resource(one));
        asked_for.any(|resource| resource.scopes.iter().any(|own| own == scope))
    };
    let is_known = |scope: &str| is_standard(scope) || asked.app.has_scope(scope) || of_a_resource(scope);
    let granted = Scopes::parse_some(text, is_known)
        .map_err(|_| invalid("The scope is a list of words of printable ASCII, separated by spaces."))?;
    if granted.is_empty() {
        return Err(invalid(
            "None of the scopes is known for this app; for a sign-in ask for openid.",
        ));
    }
    Ok(granted)
}
