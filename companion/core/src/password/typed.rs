//! Passwords as typed: one normal form, a hard cap, wiped when dropped, never shown.
//!
//! The form is NFC (SR-38): the same character typed on two keyboards gives the same bytes. Nothing else is changed: no
//! trimming, no change of case (SR-39). The same form is taken when a password is set and when it is verified.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

/// The hard cap in bytes, before and after NFC (SR-36).
pub const MAX_BYTES: usize = 1_024;
/// The hard cap in code points, after NFC.
pub const MAX_CODE_POINTS: usize = 256;

/// A password that somebody wants to have. [`PasswordGate::accept`](super::PasswordGate::accept) makes it an
/// [`AcceptedPassword`].
pub struct NewPassword(Zeroizing<String>);

/// A password that somebody says is theirs, to be verified against a hash. No policy applies to it.
pub struct CurrentPassword(Zeroizing<String>);

/// A new password that the policy accepts. There is no other way to one than the gate, and nothing else can be set.
pub struct AcceptedPassword(Zeroizing<String>);

/// Beyond the hard cap: refused before anything is computed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("longer than {MAX_CODE_POINTS} characters")]
pub struct PasswordTooLarge;

impl NewPassword {
    /// Takes what was typed, in NFC.
    pub fn parse(typed: &str) -> Result<Self, PasswordTooLarge> {
        normal_form(typed).map(Self)
    }

    /// Accepts it. For the gate alone.
    pub(super) fn into_accepted(self) -> AcceptedPassword {
        AcceptedPassword(self.0)
    }

    /// The text, for checks.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl CurrentPassword {
    /// Takes what was typed, in NFC. What is too large for a password is nobody's.
    pub fn parse(typed: &str) -> Result<Self, PasswordTooLarge> {
        normal_form(typed).map(Self)
    }

    /// Whether a new password is the same one. Both are in the one form, so that this is what a hash of it would say.
    pub fn is_same_as(&self, new: &NewPassword) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), new.0.as_bytes()).is_ok()
    }

    /// The text, for the hash function.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl AcceptedPassword {
    /// The text, for the hash function.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn normal_form(typed: &str) -> Result<Zeroizing<String>, PasswordTooLarge> {
    if typed.len() > MAX_BYTES {
        return Err(PasswordTooLarge);
    }
    let normal = if is_nfc_quick(typed.chars()) == IsNormalized::Yes {
        Zeroizing::new(typed.to_owned())
    } else {
        // NFC triples the bytes at most: with room for that, no half-written copy is left behind by a growing buffer.
        let mut normal = Zeroizing::new(String::with_capacity(typed.len() * 3));
        normal.extend(typed.nfc());
        normal
    };
    if normal.len() > MAX_BYTES || normal.chars().count() > MAX_CODE_POINTS {
        Err(PasswordTooLarge)
    } else {
        Ok(normal)
    }
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}

redacted!(NewPassword, CurrentPassword, AcceptedPassword);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// SR-38, SR-39: NFC and nothing else, the same when set and when verified.
        #[test]
        fn typing_keeps_everything_but_the_form(text in "\\PC{0,100}") {
            let (new, current) = (NewPassword::parse(&text).unwrap(), CurrentPassword::parse(&text).unwrap());
            prop_assert_eq!(new.expose(), text.nfc().collect::<String>());
            prop_assert_eq!(new.expose(), current.expose());
            let again = NewPassword::parse(new.expose()).unwrap();
            prop_assert_eq!(again.expose(), new.expose());
        }

        #[test]
        fn ascii_is_taken_as_it_is(text in "[ -~]{0,256}") {
            let password = NewPassword::parse(&text).unwrap();
            prop_assert_eq!(password.expose(), text);
        }
    }

    #[test]
    fn two_keyboards_give_one_password() {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
        let current = CurrentPassword::parse(decomposed).unwrap();
        assert!(current.is_same_as(&NewPassword::parse(composed).unwrap()));
        assert!(!current.is_same_as(&NewPassword::parse("cafe").unwrap()));
        assert_eq!(
            NewPassword::parse(composed).unwrap().expose(),
            CurrentPassword::parse(decomposed).unwrap().expose()
        );
    }

    /// SR-36: 64 and more are accepted; the cap is 256 code points and 1 KiB.
    #[test]
    fn the_hard_cap_counts_code_points_and_bytes() {
        assert!(NewPassword::parse(&"a".repeat(256)).is_ok());
        assert!(NewPassword::parse(&"a".repeat(257)).is_err());
        assert!(NewPassword::parse(&"🔑".repeat(256)).is_ok());
        assert!(NewPassword::parse(&"🔑".repeat(257)).is_err());
        assert!(NewPassword::parse(&"x".repeat(1 << 20)).is_err());
        assert!(
            NewPassword::parse(&"\u{1d160}".repeat(256)).is_err(),
            "NFC takes it beyond 256 code points"
        );
    }

    /// SR-31.
    #[test]
    fn debug_shows_no_password() {
        let password = NewPassword::parse("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "NewPassword(redacted)");
        assert_eq!(
            format!("{:?}", password.into_accepted()),
            "AcceptedPassword(redacted)"
        );
    }
}
