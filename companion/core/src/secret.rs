//! The secrets that a browser holds, and what rests of them.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, Random};

/// A text that is no secret of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the bits of a secret in base64url")]
pub struct MalformedSecret;

/// The SHA-256 of a secret: enough for a value of 256 random bits, and useless to whoever reads the store.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretDigest([u8; 32]);

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Draws a new one.
            pub fn issue(random: &dyn Random) -> Self {
                Self(random::bytes(random))
            }

            /// One that was derived by a key: whoever has not the key can't tell it from a drawn one.
            pub fn derived(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Reads what the browser sent back.
            pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
                decode(text).map(|bytes| Self(*bytes))
            }

            /// The text for the browser: a cookie or a POST body, never a URL (SR-29).
            pub fn reveal(&self) -> Zeroizing<String> {
                Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
            }

            /// What rests of it.
            pub fn digest(&self) -> SecretDigest {
                SecretDigest::of(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

secret! {
    /// Binds a flow to the browser that began it: set as a cookie, asked for at every step (SR-23).
    BindingSecret
}
secret! {
    /// Proves that the challenge was passed. It sets one password, within ten minutes, and signs nobody in (SR-27).
    Proof
}

/// Freezes the account of a contested change, and does nothing else (SR-59). It comes in a link, by mail or text message:
/// 128 bits, so that the message stays one.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct FreezeToken(Vec<u8>);

impl FreezeToken {
    /// Draws a new one.
    pub fn issue(random: &dyn Random) -> Self {
        Self(random::bytes::<16>(random).to_vec())
    }

    /// Reads what a link carried: one of 128 bits, or of 256, as earlier links have.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        // The length first: what a stranger sends is not decoded at any size.
        if text.len() != 22 && text.len() != 43 {
            return Err(MalformedSecret);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedSecret)?;
        Ok(Self(bytes))
    }

    /// The text for the link.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.0))
    }

    /// What rests of it.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for FreezeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreezeToken(redacted)")
    }
}

impl SecretDigest {
    /// The digest of a secret that travels as text, whatever its form. It must be one of 128 random bits or more.
    pub fn of_text(text: &str) -> Self {
        Self::of(text.as_bytes())
    }

    /// Whether this is the digest of the browser's secret, in constant time.
    pub fn is_of_binding(&self, secret: &BindingSecret) -> bool {
        *self == secret.digest()
    }

    /// Whether this is the digest of the proof, in constant time.
    pub fn is_of_proof(&self, proof: &Proof) -> bool {
        *self == proof.digest()
    }

    fn of(secret: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
        Self(bytes)
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(redacted)")
    }
}

impl From<SecretDigest> for String {
    fn from(digest: SecretDigest) -> Self {
        URL_SAFE_NO_PAD.encode(digest.0)
    }
}

impl TryFrom<String> for SecretDigest {
    type Error = MalformedSecret;

    fn try_from(text: String) -> Result<Self, MalformedSecret> {
        decode(&text).map(|bytes| Self(*bytes))
    }
}

fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, MalformedSecret> {
    // The length first: what a stranger sends is not decoded at any size.
    if text.len() != 43 {
        return Err(MalformedSecret);
    }
    let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedSecret)?);
    let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| MalformedSecret)?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    /// SR-27: 256 bits, which come back from the browser as they went, and rest as a digest only.
    #[test]
    fn a_secret_survives_the_browser_and_rests_as_a_digest() {
        let random = SeededRandom::new(27);
        let proof = Proof::issue(&random);
        let back = Proof::parse(&proof.reveal()).unwrap();
        assert!(proof.digest().is_of_proof(&back));
        assert!(!proof.digest().is_of_proof(&Proof::issue(&random)));

        let resting = serde_json::to_string(&proof.digest()).unwrap();
        assert!(!resting.contains(proof.reveal().as_str()));
        assert_eq!(
            serde_json::from_str::<SecretDigest>(&resting).unwrap(),
            proof.digest()
        );
    }

    /// SR-31: no secret in a log line.
    #[test]
    fn debug_is_redacted() {
        let random = SeededRandom::new(31);
        assert_eq!(format!("{:?}", Proof::issue(&random)), "Proof(redacted)");
        assert_eq!(
            format!("{:?}", BindingSecret::issue(&random)),
            "BindingSecret(redacted)"
        );
    }

    /// SR-59: short enough for a text message, and what was sent before it became that short still freezes.
    #[test]
    fn sr59_a_link_is_read_in_its_short_and_its_older_form() {
        let random = SeededRandom::new(59);
        let token = FreezeToken::issue(&random);
        let text = token.reveal();
        assert_eq!(text.len(), 22, "128 bits");
        assert_eq!(FreezeToken::parse(&text).unwrap().digest(), token.digest());
        let older = Proof::issue(&random);
        let read = FreezeToken::parse(&older.reveal()).unwrap();
        assert_eq!(read.digest(), older.digest());
        for text in [
            "",
            "abc",
            &"A".repeat(21),
            &"A".repeat(23),
            &"*".repeat(22),
            &"*".repeat(43),
        ] {
            assert!(FreezeToken::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_secret() {
        for text in [
            "",
            "abc",
            &"A".repeat(42),
            &"A".repeat(44),
            &"*".repeat(43),
            &"é".repeat(43),
        ] {
            assert!(Proof::parse(text).is_err(), "{text}");
        }
    }
}
