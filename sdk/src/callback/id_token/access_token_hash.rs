use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Candidate;
use crate::client::Algorithm;
use crate::error::IdTokenError;

/// OpenID Connect Core section 3.1.3.8: `at_hash`, where there is one, is the left half of the access token's
/// hash.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let Some(claim) = candidate.claims.get("at_hash") else {
        return Ok(());
    };
    let claim = claim.as_str().ok_or(IdTokenError::Malformed)?;
    let algorithm = Algorithm::parse(&candidate.header.alg).ok_or(IdTokenError::Malformed)?;
    let hash = digest(algorithm.hash(), candidate.expected.access_token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    let expected = URL_SAFE_NO_PAD.encode(left);
    verify_slices_are_equal(expected.as_bytes(), claim.as_bytes())
        .map_err(|_| IdTokenError::AccessTokenMismatch)
}
