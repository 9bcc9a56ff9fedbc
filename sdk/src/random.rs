//! Randomness, as an argument.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::Secret;

/// A cryptographically secure source of random bytes.
///
/// State and nonce are drawn from it. The code verifier is drawn by the `pkce` crate and the nonces of
/// sealed cookies by aws-lc-rs, which both use the operating system.
pub trait Random: Send + Sync {
    /// Fills `destination` with unpredictable bytes.
    ///
    /// # Errors
    ///
    /// When the source fails. No request is built then: a guessable state would be worse than none.
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of random bytes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random bytes failed")]
pub struct RandomError;

/// The generator of aws-lc-rs, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        aws_lc_rs::rand::fill(destination).map_err(|_| RandomError)
    }
}

/// 256 bits as 43 characters that need no escaping in a URL.
pub(crate) fn token(random: &dyn Random) -> Result<Secret, RandomError> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// A number in 0..1, for spreading retries.
pub(crate) fn fraction(random: &dyn Random) -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the retries are merely not spread.
    match random.fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(RandomError) => 0.5,
    }
}
