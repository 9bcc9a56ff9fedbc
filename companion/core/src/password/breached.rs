//! Breached passwords, by k-anonymity: five of forty hex digits of the SHA-1 leave the house.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::typed::NewPassword;
use crate::ports::{BreachedPasswords, Failure};

/// How many hex digits the corpus is told.
const PREFIX_DIGITS: usize = 5;

/// What happens while the corpus can't be asked (SR-41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenDown {
    /// Passwords pass that keep the other rules. The default: people get back in.
    #[default]
    Accept,
    /// None passes until the corpus answers.
    Refuse,
}

/// Asks the corpus.
pub(super) async fn is_breached(
    corpus: &impl BreachedPasswords,
    password: &NewPassword,
) -> Result<bool, Failure> {
    let digest = sha1_hex(password.expose());
    let (prefix, suffix) = digest.split_at(PREFIX_DIGITS);
    let range = corpus.range(prefix).await?;
    Ok(lists(&range, suffix))
}

/// Whether the range holds the suffix with a count above zero: lines of padding count zero.
fn lists(range: &str, suffix: &str) -> bool {
    range
        .lines()
        .filter_map(|line| line.trim().split_once(':'))
        .any(|(listed, count)| {
            listed.eq_ignore_ascii_case(suffix)
                && count.trim().bytes().any(|digit| matches!(digit, b'1'..=b'9'))
        })
}

/// SHA-1 is the index of the corpus here, and protects nothing.
fn sha1_hex(text: &str) -> Zeroizing<String> {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    Zeroizing::new(hex::encode_upper(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the FIPS 180 test vectors: SHA-1("abc").
    #[test]
    fn the_digest_is_sha1_in_upper_case() {
        assert_eq!(*sha1_hex("abc"), "A9993E364706816ABA3E25717850C26C9CD0D89D");
    }

    #[test]
    fn only_the_whole_suffix_with_a_count_is_listed() {
        let digest = sha1_hex("abc");
        let suffix = &digest[PREFIX_DIGITS..];
        assert!(lists(&format!("0000:3\r\n{suffix}:42\r\n"), suffix));
        assert!(lists(&format!("{}:1", suffix.to_lowercase()), suffix));
        assert!(!lists(&format!("{suffix}:0"), suffix), "a line of padding");
        assert!(!lists(&format!("{}:9", &suffix[..34]), suffix));
        assert!(!lists("", suffix));
        assert!(!lists("<html>maintenance</html>", suffix));
    }
}
