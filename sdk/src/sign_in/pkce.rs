//! Proof Key for Code Exchange, always with S256 (RFC 7636).

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// About 386 bits; RFC 7636 section 4.1 allows 43 to 128 characters.
const LENGTH: usize = 64;

/// The code verifier: kept by the application until the code is exchanged, and wiped when dropped.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct CodeVerifier(Secret);

impl CodeVerifier {
    pub(crate) fn draw() -> Self {
        let characters = Zeroizing::new(pkce::code_verifier(LENGTH));
        // `pkce` draws from the 66 unreserved characters, which are ASCII.
        Self(Secret::new(
            characters.iter().copied().map(char::from).collect::<String>(),
        ))
    }

    /// The S256 challenge that goes with the authorization request.
    pub(crate) fn challenge(&self) -> PkceCodeChallenge {
        PkceCodeChallenge::from_code_verifier_sha256(&self.to_oauth2())
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    fn to_oauth2(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.0.expose().to_owned())
    }

    /// Whether the text has the form of RFC 7636 section 4.1. oauth2 panics on other lengths.
    pub(crate) fn is_well_formed(&self) -> bool {
        let text = self.0.expose();
        (43..=128).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_has_the_form_of_rfc_7636_and_does_not_repeat() {
        let (one, other) = (CodeVerifier::draw(), CodeVerifier::draw());
        assert_eq!(one.0.expose().len(), LENGTH);
        assert!(one.is_well_formed());
        assert_ne!(one.0.expose(), other.0.expose());
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(
            verifier.challenge().as_str(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(verifier.challenge().method().as_str(), "S256");
    }

    #[test]
    fn oauth2_and_pkce_agree_on_the_challenge() {
        for _ in 0..100 {
            let verifier = CodeVerifier::draw();
            assert_eq!(
                verifier.challenge().as_str(),
                pkce::code_challenge(verifier.0.expose().as_bytes())
            );
        }
    }

    #[test]
    fn the_verifier_is_never_printed() {
        let verifier = CodeVerifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!format!("{verifier:?}").contains("dBjft"));
    }
}
