//! Signatures of what the companion sends: who has the key knows that a body is the companion's, whole and recent.

use aws_lc_rs::hmac;
use keyback_core::time::Timestamp;

/// A key for HMAC-SHA256 (RFC 2104).
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The value of the header: `t={seconds since 1970},v1={hex of HMAC-SHA256 over "t.body"}`. With the time in it a
    /// receiver can refuse what is replayed later.
    pub fn sign(&self, body: &[u8], now: Timestamp) -> String {
        sign_with_all(std::slice::from_ref(self), body, now)
    }

    /// Logto's signature: the hex of HMAC-SHA256 over the body alone. It can be replayed for ever.
    pub fn sign_body(&self, body: &[u8]) -> String {
        hex::encode(hmac::sign(&self.0, body))
    }

    fn sign_timed(&self, body: &[u8], seconds: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(seconds.as_bytes());
        context.update(b".");
        context.update(body);
        hex::encode(context.sign())
    }
}

/// As [`SigningKey::sign`], with a `v1` for each key: while one takes another's place, receivers of either accept.
pub fn sign_with_all(keys: &[SigningKey], body: &[u8], now: Timestamp) -> String {
    let seconds = now.as_secs().to_string();
    let signatures = keys.iter().map(|key| key.sign_timed(body, &seconds));
    signatures.fold(format!("t={seconds}"), |header, signature| {
        format!("{header},v1={signature}")
    })
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a value that another program made: `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac …`.
    #[test]
    fn rfc2104_a_signature_covers_time_and_body() {
        let key = SigningKey::new(b"a key of thirty-two characters..");
        let now = Timestamp::from_millis(1_700_000_000_999);
        let signed = key.sign(br#"{"a":1}"#, now);
        assert_eq!(
            signed,
            "t=1700000000,v1=0286e636646e1319bd534effdac7e888043b464e9b3fd24db7c7e655d1971cfe"
        );
        assert_ne!(signed, key.sign(br#"{"a":2}"#, now));
        assert_ne!(
            signed,
            key.sign(br#"{"a":1}"#, Timestamp::from_millis(1_700_000_001_000))
        );
        assert_ne!(signed, SigningKey::new(b"another").sign(br#"{"a":1}"#, now));
        assert!(!format!("{key:?}").contains("thirty"));
    }
}
