use super::Candidate;
use crate::error::IdTokenError;

/// Step 10, and `nbf` of RFC 7519 section 4.1.5: not from the future, beyond the drift that is tolerated.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let expected = candidate.expected;
    let latest = expected.now + expected.leeway;
    let issued_at = candidate.claims.issued_at().ok_or(IdTokenError::Malformed)?;
    if issued_at > latest {
        let ahead = issued_at.duration_since(expected.now).unwrap_or_default();
        return Err(IdTokenError::IssuedInFuture { ahead, drift: None });
    }
    if candidate.claims.get("nbf").is_some() {
        let not_before = candidate.claims.time("nbf").ok_or(IdTokenError::Malformed)?;
        if not_before > latest {
            let ahead = not_before.duration_since(expected.now).unwrap_or_default();
            return Err(IdTokenError::NotYetValid { ahead, drift: None });
        }
    }
    Ok(())
}
