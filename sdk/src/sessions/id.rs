//! Names of sessions: the secret one that a browser holds, and the one that a store sees.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random::{Random, RandomError, token};
use crate::secret::Secret;

/// 32 bytes in base64url.
const LENGTH: usize = 43;

/// The secret name of a session: whoever has it is signed in. 256 random bits, for a cookie or, in a native program, for
/// a file of its user's.
///
/// A store never sees it, only its [`SessionKey`].
#[derive(Clone)]
pub struct SessionId(Secret);

impl SessionId {
    pub(crate) fn draw(random: &dyn Random) -> Result<Self, RandomError> {
        token(random).map(Self)
    }

    /// The id in a text that [`as_str`](Self::as_str) gave. `None` for what can't be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == LENGTH
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits.then(|| Self(Secret::new(text)))
    }

    /// The secret text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }

    /// What a store knows this session by.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(URL_SAFE_NO_PAD.encode(digest(&SHA256, self.as_str().as_bytes())))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId [redacted]")
    }
}

/// What a store knows a session by: the SHA-256 of its id, in 43 characters of base64url. Who reads a store can take over
/// no session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(String);

impl SessionKey {
    /// The text, which is fit for file names and columns.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn an_id_survives_its_text_and_is_not_printed() {
        let id = SessionId::draw(&SystemRandom).expect("the system has randomness");
        let again = SessionId::parse(id.as_str()).expect("it is one");
        assert_eq!(id.key(), again.key());
        assert!(!format!("{id:?}").contains(id.as_str()));
        assert_ne!(id.key().as_str(), id.as_str());
    }

    #[test]
    fn what_can_be_no_id_is_none() {
        for text in ["", "x", &"a".repeat(42), &"a".repeat(44), &"/".repeat(43)] {
            assert!(SessionId::parse(text).is_none(), "{text}");
        }
    }
}
