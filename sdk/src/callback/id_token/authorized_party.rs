use super::Candidate;
use crate::error::IdTokenError;

/// Steps 4 and 5: `azp`, where there is one, names this client. Several audiences, which would need it, are refused
/// before.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    match candidate.claims.get("azp") {
        None => Ok(()),
        Some(party) if party.as_str() == Some(candidate.expected.client_id) => Ok(()),
        Some(_) => Err(IdTokenError::WrongAuthorizedParty),
    }
}
