//! PKCE (RFC 7636): S256 alone, and required of every app that has no secret (RFC 9700 2.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::error::ProtocolError;
use super::Asked;

/// Bytes of a SHA-256 digest.
const DIGEST: usize = 32;

pub(super) fn check(asked: &Asked<'_>) -> Result<Option<String>, ProtocolError> {
    let invalid = |description: &'static str| Err(ProtocolError::invalid_request(description));
    match (
        asked.params.one("code_challenge"),
        asked.params.one("code_challenge_method"),
    ) {
        (Some(challenge), Some("S256")) => {
            let is_digest = URL_SAFE_NO_PAD
                .decode(challenge)
                .is_ok_and(|bytes| bytes.len() == DIGEST);
            if is_digest {
                Ok(Some(challenge.to_owned()))
            } else {
                invalid(
                    "The code_challenge is not a SHA-256 digest in base64url without padding (43 characters).",
                )
            }
        }
        // RFC 7636 4.3: without a method, `plain` is meant.
        (Some(_), _) => invalid("Send code_challenge_method=S256: the method plain is not accepted."),
        (None, Some(_)) => invalid("The code_challenge is missing beside its code_challenge_method."),
        (None, None) if asked.app.is_confidential() => Ok(None),
        (None, None) => {
            invalid("Send code_challenge and code_challenge_method=S256: this app has no secret.")
        }
    }
}
