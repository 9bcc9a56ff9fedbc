//! One ID token, signed once, and the numbers that every peer checks it against.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyback::{Clock, Random, RandomError};
use serde_json::{Value, json};

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../../../tests/it/provider/signer.rs"]
mod signer;

pub(crate) use signer::Signer;

pub const ISSUER: &str = "https://id.example/oidc";
pub const CLIENT_ID: &str = "my-app";
/// What [`Zeros`] draws, in base64url.
pub const NONCE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const NOW: u64 = 1_790_000_000;

/// The claims of an ordinary ID token, good for very long: some peers have no clock but the system's.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT_ID, "sub": "uqb7pqajcjwy", "nonce": NONCE, "iat": NOW, "exp": NOW * 2,
        "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace", "sid": "0123456789abcdef",
    })
}

/// The clock stands still.
pub struct Noon;

impl Clock for Noon {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

/// Every draw alike, so that one token answers every request. For benches alone.
pub struct Zeros;

impl Random for Zeros {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        destination.fill(0);
        Ok(())
    }
}
