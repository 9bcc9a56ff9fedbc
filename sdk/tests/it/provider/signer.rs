//! Keys of a provider, of every kind, that sign on aws-lc-rs.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback::Algorithm;
use serde_json::{Value, json};

/// A signing key with its id and algorithm.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: String,
    key: Arc<Key>,
}

enum Key {
    Ec(EcdsaKeyPair, &'static str, usize),
    Ed25519(Ed25519KeyPair),
    Rsa(&'static RsaKeyPair),
}

impl Signer {
    pub(crate) fn new(algorithm: Algorithm, key_id: &str) -> Self {
        let ec = |algorithm: &'static EcdsaSigningAlgorithm, curve, length| {
            Key::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve, length)
        };
        let key = match algorithm {
            Algorithm::Es256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32),
            Algorithm::Es384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48),
            Algorithm::Es512 => ec(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521", 66),
            Algorithm::EdDsa => Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => Key::Rsa(rsa()),
        };
        Self {
            algorithm,
            key_id: key_id.to_owned(),
            key: Arc::new(key),
        }
    }

    pub(crate) fn renamed(&self, key_id: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            ..self.clone()
        }
    }

    /// The public key as its provider publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &*self.key {
            Key::Ec(pair, curve, length) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(*length);
                json!({ "kty": "EC", "crv": curve, "x": b64(x), "y": b64(y) })
            }
            Key::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref()) })
            }
            Key::Rsa(pair) => {
                let (n, e) = rsa_components(pair.public_key().as_ref());
                json!({ "kty": "RSA", "n": b64(n), "e": b64(e) })
            }
        };
        jwk["kid"] = json!(self.key_id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.as_str());
        jwk
    }

    /// A JWT with the usual header.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(
            &json!({ "alg": self.algorithm.as_str(), "kid": self.key_id }),
            claims,
        )
    }

    pub(crate) fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.sign_input(&signing_input(header, claims))
    }

    /// A JWT of two parts that may be anything.
    pub(crate) fn sign_input(&self, input: &str) -> String {
        let signature = self.signature(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.key {
            Key::Ec(pair, ..) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    Algorithm::Ps384 => &RSA_PSS_SHA384,
                    _ => &RSA_PSS_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(crate) fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// One for the whole run: making RSA keys is slow.
fn rsa() -> &'static RsaKeyPair {
    static PAIR: OnceLock<RsaKeyPair> = OnceLock::new();
    PAIR.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 appendix A.1.1).
fn rsa_components(der: &[u8]) -> (&[u8], &[u8]) {
    fn value(der: &[u8]) -> (&[u8], &[u8]) {
        let (length, start) = match der[1] {
            short @ 0..0x80 => (usize::from(short), 2),
            long => {
                let bytes = usize::from(long & 0x7f);
                (
                    der[2..2 + bytes]
                        .iter()
                        .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                    2 + bytes,
                )
            }
        };
        (&der[start..start + length], &der[start + length..])
    }
    let (sequence, _) = value(der);
    let (modulus, rest) = value(sequence);
    let (exponent, _) = value(rest);
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent)
}
