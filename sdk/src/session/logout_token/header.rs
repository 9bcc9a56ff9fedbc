//! What the header of a logout token may say.

use super::Candidate;
use crate::error::LogoutTokenError;

/// Section 2.4: `typ`, where it says more than that this is a JWT, is `logout+jwt`. A token made for something else is
/// none.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    match candidate.header.media_type().as_deref() {
        None | Some("logout+jwt" | "jwt") => Ok(candidate.header.check_extensions()?),
        Some(_) => Err(LogoutTokenError::WrongType),
    }
}

/// Section 2.6 step 2: the algorithm is on the client's own list. `none` and HMAC are on nobody's.
pub(super) fn check_algorithm(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    candidate.header.algorithm(candidate.expected.algorithms)?;
    Ok(())
}
