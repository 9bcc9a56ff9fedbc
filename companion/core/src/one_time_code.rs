//! One-time codes: six digits that a visitor reads in a message, and the keyed digest that rests of them.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::identifier::Identifier;
use crate::ids::{ChallengeId, FlowId};
use crate::random::{self, Random};

/// How many digits a code has: 10^6 values, 20 bits (SR-16).
pub const CODE_DIGITS: usize = 6;

/// First of what the digest covers: no other HMAC under a key of ours begins like this.
const LABEL: &str = "keyback one-time code v1";

/// Six digits, leading zeros kept. In memory only: what rests is a [`CodeDigest`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OneTimeCode([u8; CODE_DIGITS]);

/// What was typed is not a code: nothing is counted and nothing compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not six digits")]
pub struct MalformedCode;

/// What a code is good for. All of it enters the digest, so a code moved to another flow, challenge, address or app
/// is a wrong code (SR-23).
#[derive(Clone, Copy, Debug)]
pub struct CodeContext<'a> {
    /// The flow that asked for the code.
    pub flow_id: &'a FlowId,
    /// The challenge that the code answers.
    pub challenge_id: &'a ChallengeId,
    /// The address that it was sent to, as typed and normalised.
    pub identifier: &'a Identifier,
    /// The app that the visitor came from.
    pub client_id: Option<&'a str>,
}

/// HMAC-SHA256 over the code and its context. A million codes are tried in a second, hence the key (SR-18).
#[derive(Clone)]
pub struct CodeDigest {
    key_id: String,
    mac: [u8; 32],
}

/// One key for code digests, with the id that rests beside what it made.
#[derive(Clone)]
pub struct CodeKey {
    id: String,
    key: hmac::Key,
}

/// The keys for code digests: the first writes, all read, so that keys change without a code being lost.
#[derive(Clone, Debug)]
pub struct CodeKeyring {
    first: CodeKey,
    older: Vec<CodeKey>,
}

impl OneTimeCode {
    /// Draws a code, each of the million equally likely.
    pub fn draw(random: &dyn Random) -> Self {
        Self(random::digits(random))
    }

    /// Reads what was typed or pasted: six ASCII digits, between which spaces and dashes don't matter.
    pub fn parse(text: &str) -> Result<Self, MalformedCode> {
        if text.len() > 64 {
            return Err(MalformedCode);
        }
        let mut code = Self([0; CODE_DIGITS]);
        let mut filled = 0;
        for character in text.chars() {
            match character {
                '0'..='9' if filled < CODE_DIGITS => {
                    code.0[filled] = u8::try_from(character).map_err(|_| MalformedCode)?;
                    filled += 1;
                }
                ' ' | '\t' | '-' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2010}'..='\u{2013}' => {}
                _ => return Err(MalformedCode),
            }
        }
        if filled == CODE_DIGITS {
            Ok(code)
        } else {
            Err(MalformedCode)
        }
    }

    /// The six digits, for the message that carries them and for nothing else.
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(redacted)")
    }
}

impl CodeDigest {
    /// Takes a digest from the store.
    pub fn from_parts(key_id: impl Into<String>, mac: [u8; 32]) -> Self {
        Self {
            key_id: key_id.into(),
            mac,
        }
    }

    /// The key that made it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The digest, to be stored.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.mac
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeDigest")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl CodeKey {
    /// A key of 32 bytes, already derived for this one use.
    pub fn new(id: impl Into<String>, secret: &[u8; 32]) -> Self {
        Self {
            id: id.into(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    fn digest(&self, code: &OneTimeCode, context: &CodeContext<'_>) -> CodeDigest {
        let mut hmac = hmac::Context::with_key(&self.key);
        // Each field behind its length: no two contexts run together into the same bytes.
        let mut field = |bytes: &[u8]| {
            hmac.update(&(bytes.len() as u64).to_be_bytes());
            hmac.update(bytes);
        };
        field(LABEL.as_bytes());
        field(context.flow_id.as_str().as_bytes());
        field(context.challenge_id.as_str().as_bytes());
        field(context.identifier.as_str().as_bytes());
        field(&[u8::from(context.client_id.is_some())]);
        field(context.client_id.unwrap_or_default().as_bytes());
        field(&code.0);

        let mut mac = [0; 32];
        mac.copy_from_slice(hmac.sign().as_ref());
        CodeDigest {
            key_id: self.id.clone(),
            mac,
        }
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl CodeKeyring {
    /// `first` makes new digests; it and `older` read what rests.
    pub fn new(first: CodeKey, older: Vec<CodeKey>) -> Self {
        Self { first, older }
    }

    /// The digest of a new code.
    pub fn digest(&self, code: &OneTimeCode, context: &CodeContext<'_>) -> CodeDigest {
        self.first.digest(code, context)
    }

    /// Whether `code` is the one that `resting` was made of, compared in constant time (SR-25).
    ///
    /// A digest whose key is gone matches no code.
    pub fn matches(&self, resting: &CodeDigest, code: &OneTimeCode, context: &CodeContext<'_>) -> bool {
        let known = self.keys().find(|key| key.id == resting.key_id);
        let typed = known.unwrap_or(&self.first).digest(code, context);
        let equal = constant_time::verify_slices_are_equal(&typed.mac, &resting.mac).is_ok();
        known.is_some() & equal
    }

    fn keys(&self) -> impl Iterator<Item = &CodeKey> {
        std::iter::once(&self.first).chain(&self.older)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    const OLD: [u8; 32] = [1; 32];
    const NEW: [u8; 32] = [2; 32];

    fn ring(id: &str, secret: &[u8; 32]) -> CodeKeyring {
        CodeKeyring::new(CodeKey::new(id, secret), Vec::new())
    }

    proptest! {
        /// SR-16: leading zeros are kept; a pasted code keeps its meaning.
        #[test]
        fn sr16_leading_zeros_are_kept_and_pasted_codes_are_read(number in 0_u32..1_000_000, separator in "[ -]{0,2}") {
            let digits = format!("{number:06}");
            let pasted = format!(" {}{separator}{} ", &digits[..3], &digits[3..]);
            let code = OneTimeCode::parse(&pasted).unwrap();
            prop_assert_eq!(code.reveal(), digits);
        }

        #[test]
        fn nothing_else_is_a_code(text in "\\PC{0,12}") {
            let digits = text.chars().filter(char::is_ascii_digit).count();
            prop_assert!(digits == CODE_DIGITS || OneTimeCode::parse(&text).is_err());
        }
    }

    #[test]
    fn malformed_codes_are_refused() {
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "123456\0",
            "123456\n",
            "+12345",
            &"0 ".repeat(99),
        ] {
            assert!(OneTimeCode::parse(text).is_err(), "{text:?}");
        }
    }

    /// SR-23: the code is bound to flow, challenge, address and app.
    #[test]
    fn sr23_a_code_fits_its_own_context_only() {
        let ring = ring("k1", &NEW);
        let (flow, other_flow) = (FlowId::new("f1"), FlowId::new("f2"));
        let (challenge, other_challenge) = (ChallengeId::new("c1"), ChallengeId::new("c2"));
        let (ada, eve) = ("ada@example.com", "eve@example.com");
        let (ada, eve) = (Identifier::parse(ada).unwrap(), Identifier::parse(eve).unwrap());
        let right = CodeContext {
            flow_id: &flow,
            challenge_id: &challenge,
            identifier: &ada,
            client_id: Some("demo-site"),
        };
        let code = OneTimeCode::parse("012345").unwrap();
        let resting = ring.digest(&code, &right);

        assert!(ring.matches(&resting, &code, &right));
        assert!(!ring.matches(&resting, &OneTimeCode::parse("012346").unwrap(), &right));
        for wrong in [
            CodeContext {
                flow_id: &other_flow,
                ..right
            },
            CodeContext {
                challenge_id: &other_challenge,
                ..right
            },
            CodeContext {
                identifier: &eve,
                ..right
            },
            CodeContext {
                client_id: Some("demo-web"),
                ..right
            },
            CodeContext {
                client_id: Some(""),
                ..right
            },
            CodeContext {
                client_id: None,
                ..right
            },
        ] {
            assert!(!ring.matches(&resting, &code, &wrong), "{wrong:?}");
        }
    }

    /// SR-18: without the key, or with another one under the same id, a dump of the store tells no code.
    #[test]
    fn sr18_keys_rotate_and_unknown_keys_match_nothing() {
        let (flow, challenge) = (FlowId::new("f1"), ChallengeId::new("c1"));
        let identifier = Identifier::parse("+491701234567").unwrap();
        let context = CodeContext {
            flow_id: &flow,
            challenge_id: &challenge,
            identifier: &identifier,
            client_id: None,
        };
        let code = OneTimeCode::draw(&SystemRandom);
        let resting = ring("old", &OLD).digest(&code, &context);

        let rotated = CodeKeyring::new(CodeKey::new("new", &NEW), vec![CodeKey::new("old", &OLD)]);
        assert!(rotated.matches(&resting, &code, &context));
        assert_eq!(rotated.digest(&code, &context).key_id(), "new");
        assert!(
            !ring("new", &OLD).matches(&resting, &code, &context),
            "the key of that id is gone"
        );
        assert!(
            !ring("old", &NEW).matches(&resting, &code, &context),
            "the id is right, the key is not"
        );
    }

    /// SR-31.
    #[test]
    fn debug_shows_no_code() {
        let code = OneTimeCode::parse("918273").unwrap();
        assert!(!format!("{code:?} {:?}", ring("k1", &NEW)).contains("918273"));
    }
}
