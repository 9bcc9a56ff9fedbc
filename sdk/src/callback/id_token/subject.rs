use super::Candidate;
use crate::error::IdTokenError;

/// OpenID Connect Core section 2: a subject of 1 to 255 characters; after a refresh the same as before (section 12.2).
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let subject = candidate.claims.subject();
    if subject.is_empty() || subject.chars().count() > 255 {
        return Err(IdTokenError::BadSubject);
    }
    match candidate.expected.subject {
        Some(before) if before != subject => Err(IdTokenError::SubjectChanged),
        _ => Ok(()),
    }
}
