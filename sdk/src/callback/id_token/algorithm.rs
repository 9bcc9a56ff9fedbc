use super::Candidate;
use crate::client::Algorithm;
use crate::error::{IdTokenError, algorithm_name};

/// Step 7: the algorithm is on the client's own list. `none` and HMAC are on nobody's.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let name = candidate.header.alg.as_str();
    if name.eq_ignore_ascii_case("none") {
        return Err(IdTokenError::Unsigned);
    }
    match Algorithm::parse(name) {
        Some(algorithm) if candidate.expected.algorithms.contains(&algorithm) => Ok(()),
        _ => Err(IdTokenError::AlgorithmRefused {
            algorithm: algorithm_name(name),
        }),
    }
}
