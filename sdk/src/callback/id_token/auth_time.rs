use super::Candidate;
use crate::error::IdTokenError;

/// Step 13: where `max_age` was asked, the person signed in recently enough, and the token says so.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let expected = candidate.expected;
    let Some(max_age) = expected.max_age else {
        return Ok(());
    };
    let signed_in_at = candidate
        .claims
        .auth_time()
        .ok_or(IdTokenError::MissingAuthTime)?;
    let age = expected.now.duration_since(signed_in_at).unwrap_or_default();
    let by = age.saturating_sub(max_age).saturating_sub(expected.leeway);
    if by.is_zero() {
        Ok(())
    } else {
        Err(IdTokenError::AuthTooOld { by })
    }
}
