//! The signature, by the one key of the provider that the token names.

use super::Candidate;
use crate::client::Algorithm;
use crate::error::LogoutTokenError;

/// By any algorithm that can be checked: which of them are allowed is another check's.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let header = candidate.header;
    let algorithm = header.algorithm(&Algorithm::ALL)?;
    Ok(header.check_signature(candidate.raw, algorithm, candidate.keys)?)
}
