//! `claims` (OIDC Core 5.5): claims asked for by name. Which of them a person has is nobody's error; which `acr` must
//! be met and can't be is (5.5.1.1).

use super::super::claims::ClaimsRequest;
use super::super::error::{ErrorCode, ProtocolError};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<ClaimsRequest, ProtocolError> {
    let Some(text) = asked.params.one("claims") else {
        return Ok(ClaimsRequest::default());
    };
    let request = ClaimsRequest::parse(text)
        .map_err(|malformed| ProtocolError::invalid_request(malformed.to_string()))?;
    if request.acr_can_be_met() {
        Ok(request)
    } else {
        Err(ProtocolError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "The claims parameter demands an acr that no sign-in reaches here; acr_values_supported names those that are.",
        ))
    }
}
