//! The provider's key.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// An ES384 key with its id.
pub(super) struct Signer {
    key_id: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(super) fn new(key_id: &str) -> Option<Self> {
        Some(Self {
            key_id: key_id.to_owned(),
            pair: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?,
        })
    }

    /// The public key as it is published (RFC 7518 section 6.2).
    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-384", "x": b64(x), "y": b64(y),
            "kid": self.key_id, "use": "sig", "alg": "ES384",
        })
    }

    pub(super) fn sign(&self, typ: &str, claims: &Value) -> String {
        self.sign_as("ES384", typ, claims)
    }

    /// Signed by ES384, whatever the header says.
    pub(super) fn sign_as(&self, alg: &str, typ: &str, claims: &Value) -> String {
        let input = self.input(alg, typ, claims);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        let signature = signature.map_or_else(|_| Vec::new(), |signature| signature.as_ref().to_vec());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn unsigned(&self, typ: &str, claims: &Value) -> String {
        format!("{}.", self.input("none", typ, claims))
    }

    /// As a client would check it that takes a public key for a secret.
    pub(super) fn hmac(&self, typ: &str, claims: &Value) -> String {
        let input = self.input("HS256", typ, claims);
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.jwk().to_string().as_bytes());
        let tag = hmac::sign(&key, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    fn input(&self, alg: &str, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": alg, "kid": self.key_id, "typ": typ });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&header), part(claims))
    }
}
