//! The code that a person carries from the device's screen to the browser (RFC 8628 6.1).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_core::random::{Random, characters};

use crate::secrets::{DerivedKey, Purpose, RootKeys};

/// Consonants alone: easily told apart, and no words by accident. Eight of them are 34.5 bits, which the limits of the
/// page make enough for ten minutes (RFC 8628 5.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// A user code in its one form.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    pub(super) fn draw(random: &dyn Random) -> Self {
        Self(characters(random, ALPHABET))
    }

    /// Reads what a person typed or pasted: in any case, with dashes and spaces wherever they put them.
    pub fn parse(text: &str) -> Option<Self> {
        let is_separator = |c: char| {
            c.is_whitespace()
                || matches!(c, '-' | '.' | '_' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
        };
        let mut code = [0; LENGTH];
        let mut typed = text.chars().filter(|c| !is_separator(*c));
        for slot in &mut code {
            let letter = u8::try_from(typed.next()?).ok()?.to_ascii_uppercase();
            *slot = ALPHABET.contains(&letter).then_some(letter)?;
        }
        typed.next().is_none().then_some(Self(code))
    }
}

impl fmt::Display for UserCode {
    /// As the device shows it: two groups of four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = self.0.iter().copied().map(char::from).collect();
        let (first, second) = letters.split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(..)")
    }
}

/// Makes the digests under which user codes rest. A bare hash of so short a code is guessed in no time, hence the key.
pub(in crate::oidc) struct UserCodeKeys {
    first: hmac::Key,
    older: Vec<hmac::Key>,
}

impl UserCodeKeys {
    pub(in crate::oidc) fn new(root_keys: &RootKeys) -> Self {
        let key = |derived: &DerivedKey| hmac::Key::new(hmac::HMAC_SHA256, derived.key.as_ref());
        let derived = root_keys.derive(Purpose::UserCodes);
        Self {
            first: key(&derived.first),
            older: derived.older.iter().map(key).collect(),
        }
    }

    /// The digest of a new code.
    pub(super) fn digest(&self, code: &UserCode) -> String {
        digest(&self.first, code)
    }

    /// The digests under which a code may rest: an older root key may have written it.
    pub(super) fn digests(&self, code: &UserCode) -> impl Iterator<Item = String> {
        std::iter::once(&self.first)
            .chain(&self.older)
            .map(|key| digest(key, code))
    }
}

fn digest(key: &hmac::Key, code: &UserCode) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, &code.0))
}

#[cfg(test)]
mod tests {
    use keyback_core::random::SystemRandom;

    use super::*;
    use crate::secrets::RootKey;

    #[test]
    fn rfc8628_6_1_a_code_is_read_however_it_is_typed() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for typed in [
            "wdjbmjht",
            " WDJB MJHT ",
            "wdjb\u{2011}mjht",
            "W-D-J-B-M-J-H-T",
            "wdjb.mjht\u{200b}",
        ] {
            assert_eq!(UserCode::parse(typed), Some(code.clone()), "{typed}");
        }
        for bad in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJHA",
            "WDJB-MJH1",
            "WDJB-MJHÉ",
            "WDJB/MJHT",
        ] {
            assert_eq!(UserCode::parse(bad), None, "{bad}");
        }
        assert_eq!(code.to_string(), "WDJB-MJHT");
        assert!(!format!("{code:?}").contains("WDJB"));
    }

    #[test]
    fn rfc8628_6_1_codes_are_drawn_from_consonants_and_survive_their_text() {
        for _ in 0..100 {
            let code = UserCode::draw(&SystemRandom);
            let text = code.to_string();
            assert_eq!((text.len(), text.as_bytes()[4]), (9, b'-'));
            assert!(!text.contains(['A', 'E', 'I', 'O', 'U', 'Y']), "{text}");
            assert_eq!(UserCode::parse(&text), Some(code));
        }
    }

    #[test]
    fn sr18_digests_follow_the_root_key_and_its_rotation() {
        let (old, new) = (RootKey::generate(&SystemRandom), RootKey::generate(&SystemRandom));
        let code = UserCode::draw(&SystemRandom);
        let of = |keys: &[&RootKey]| {
            UserCodeKeys::new(&RootKeys::new(keys.iter().map(|key| (*key).clone()).collect()).unwrap())
        };
        let written = of(&[&old]).digest(&code);
        assert_ne!(of(&[&new]).digest(&code), written);
        assert!(of(&[&new, &old]).digests(&code).any(|digest| digest == written));
        assert!(of(&[&new]).digests(&code).all(|digest| digest != written));
    }
}
