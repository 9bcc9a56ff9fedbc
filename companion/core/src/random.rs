//! Randomness as an argument, and the few things that are drawn from it.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// A source of unpredictable bytes.
pub trait Random: Send + Sync + 'static {
    /// Overwrites all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The cryptographic generator of aws-lc.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// When the operating system gives no randomness: nothing that follows would be safe.
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system's random source must work");
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// `N` random bytes as base64url without padding (RFC 4648 section 5).
pub fn token<const N: usize>(random: &dyn Random) -> String {
    let bytes = Zeroizing::new(bytes::<N>(random));
    URL_SAFE_NO_PAD.encode(bytes.as_slice())
}

/// `N` decimal digits in ASCII, each of the 10^N values equally likely.
pub fn digits<const N: usize>(random: &dyn Random) -> [u8; N] {
    characters(random, b"0123456789")
}

/// Twelve lower-case letters and digits: the form of a subject, as Logto has it (62 bits).
pub fn short_id(random: &dyn Random) -> String {
    characters::<12>(random, b"abcdefghijklmnopqrstuvwxyz0123456789")
        .iter()
        .copied()
        .map(char::from)
        .collect()
}

/// `N` characters of `alphabet` (at most 256 bytes), without bias: bytes past the last whole multiple of its length are drawn again.
pub fn characters<const N: usize>(random: &dyn Random, alphabet: &[u8]) -> [u8; N] {
    let fair = 256 - 256 % alphabet.len();
    let mut drawn = [0; N];
    for slot in &mut drawn {
        *slot = loop {
            let [byte] = bytes::<1>(random);
            if usize::from(byte) < fair {
                break alphabet[usize::from(byte) % alphabet.len()];
            }
        };
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    /// SR-16: uniform digits, leading zeros kept. Chi-squared over 10 cells: 27.9 is the 0.1 % bound of 9 degrees.
    #[test]
    fn digits_are_uniform_in_every_place() {
        let random = SeededRandom::new(16);
        let mut seen = [[0_u32; 10]; 6];
        for _ in 0..20_000 {
            for (place, digit) in digits::<6>(&random).iter().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        for counts in seen {
            let chi: f64 = counts
                .iter()
                .map(|&n| (f64::from(n) - 2_000.0).powi(2) / 2_000.0)
                .sum();
            assert!(chi < 27.9, "{counts:?} gives {chi}");
        }
    }

    #[test]
    fn short_ids_have_logtos_form() {
        let id = short_id(&SystemRandom);
        assert_eq!(id.len(), 12);
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{id}"
        );
    }

    #[test]
    fn tokens_are_url_safe_and_differ() {
        let (one, two) = (token::<32>(&SystemRandom), token::<32>(&SystemRandom));
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
        assert!(
            one.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }
}
