//! PKCE (RFC 7636): S256 alone, and required of every app that has no secret (RFC 9700 2.1.1).

use base64_simd::URL_SAFE_NO_PAD;

use super::super::error::ProtocolError;
use super::Asked;

/// Characters of a SHA-256 digest in base64url without padding.
const CHARACTERS: usize = 43;

pub(super) fn check(asked: &Asked<'_>) -> Result<Option<String>, ProtocolError> {
    let invalid = |description: &'static str| Err(ProtocolError::invalid_request(description));
    match (
        asked.params.one("code_challenge"),
        asked.params.one("code_challenge_method"),
    ) {
        (Some(challenge), Some("S256")) => {
            if is_digest(challenge) {
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

fn is_digest(challenge: &str) -> bool {
    challenge.len() == CHARACTERS && URL_SAFE_NO_PAD.check(challenge.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_4_2_a_challenge_is_a_digest_in_base64url_without_padding_and_nothing_else() {
        // RFC 7636 appendix B.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_digest(challenge));
        // One letter more or less, padding, and bits behind the last byte, which would make a second spelling of it.
        for other in [
            &challenge[1..],
            &format!("A{challenge}"),
            &format!("{challenge}="),
        ] {
            assert!(!is_digest(other), "{other}");
        }
        for (last, is_whole) in [
            ('A', true),
            ('M', true),
            ('8', true),
            ('N', false),
            ('P', false),
            ('_', false),
        ] {
            assert_eq!(
                is_digest(&format!("{}{last}", &challenge[..42])),
                is_whole,
                "{last}"
            );
        }
        // Wherever it stands, what is no letter of the alphabet is refused.
        for at in 0..CHARACTERS {
            for foreign in ["+", "/", " ", "=", "\0", "~"] {
                let mut text = challenge.to_owned();
                text.replace_range(at..=at, foreign);
                assert!(!is_digest(&text), "{text}");
            }
        }
    }
}
