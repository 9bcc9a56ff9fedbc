//! One public key (RFC 7517, RFC 7518 6, RFC 8037 2), and the signatures it checks, on aws-lc-rs.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The signatures that are taken from apps (RFC 7518 3.1, RFC 8037 3.1). No `none` and no HMAC: whoever can read the
/// key set could make those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oidc) enum SigningAlgorithm {
    Es256,
    Es384,
    Rs256,
    Ps256,
    EdDsa,
}

impl SigningAlgorithm {
    /// The names, as discovery tells them.
    pub(in crate::oidc) const NAMES: [&'static str; 5] = ["ES256", "ES384", "RS256", "PS256", "EdDSA"];

    pub(in crate::oidc) fn parse(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            // RFC 9864 gave Ed25519 a name of its own.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A public key that can check signatures.
#[derive(Clone, Debug)]
pub(super) struct ClientKey {
    kid: Option<String>,
    /// The one algorithm that its `alg` allows.
    only: Option<SigningAlgorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    /// An uncompressed point (SEC 1 2.3.3) or an Ed25519 key: of use for one algorithm.
    Bytes(SigningAlgorithm, Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl ClientKey {
    /// Reads a key. None where it is of another kind, for another use, or malformed.
    pub(super) fn parse(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let is_for_signatures = text("use").is_none_or(|word| word == "sig")
            && jwk.get("key_ops").is_none_or(|operations| {
                operations
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == "verify"))
            });
        if !is_for_signatures {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => point(SigningAlgorithm::Es256, 32, &bytes("x")?, &bytes("y")?)?,
            ("EC", Some("P-384")) => point(SigningAlgorithm::Es384, 48, &bytes("x")?, &bytes("y")?)?,
            ("OKP", Some("Ed25519")) => {
                Material::Bytes(SigningAlgorithm::EdDsa, bytes("x").filter(|x| x.len() == 32)?)
            }
            ("RSA", _) => rsa(&bytes("n")?, bytes("e")?)?,
            _ => return None,
        };
        let only = match text("alg") {
            None => None,
            Some(name) => Some(SigningAlgorithm::parse(name)?),
        };
        let kid = text("kid").map(str::to_owned);
        let key = Self { kid, only, material };
        // An `alg` that the kind of key can't have.
        only.is_none_or(|algorithm| key.can(algorithm)).then_some(key)
    }

    /// Whether the key may have signed under a header of this `alg` and `kid`. A header without `kid` names no key.
    pub(super) fn fits(&self, algorithm: SigningAlgorithm, kid: Option<&str>) -> bool {
        let named = kid.is_none_or(|kid| self.kid.as_deref() == Some(kid));
        named && self.can(algorithm) && self.only.is_none_or(|only| only == algorithm)
    }

    pub(super) fn verify(&self, algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let simple = |check: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(check, key).verify(message, signature)
        };
        let rsa = |parameters: &RsaParameters, n: &Vec<u8>, e: &Vec<u8>| {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
        };
        let outcome = match (algorithm, &self.material) {
            (SigningAlgorithm::Es256, Material::Bytes(SigningAlgorithm::Es256, key)) => {
                simple(&ECDSA_P256_SHA256_FIXED, key)
            }
            (SigningAlgorithm::Es384, Material::Bytes(SigningAlgorithm::Es384, key)) => {
                simple(&ECDSA_P384_SHA384_FIXED, key)
            }
            (SigningAlgorithm::EdDsa, Material::Bytes(SigningAlgorithm::EdDsa, key)) => simple(&ED25519, key),
            (SigningAlgorithm::Rs256, Material::Rsa { n, e }) => rsa(&RSA_PKCS1_2048_8192_SHA256, n, e),
            (SigningAlgorithm::Ps256, Material::Rsa { n, e }) => rsa(&RSA_PSS_2048_8192_SHA256, n, e),
            _ => return false,
        };
        outcome.is_ok()
    }

    fn can(&self, algorithm: SigningAlgorithm) -> bool {
        match &self.material {
            Material::Bytes(own, _) => *own == algorithm,
            Material::Rsa { .. } => matches!(algorithm, SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256),
        }
    }
}

/// Both coordinates have full length (RFC 7518 6.2.1.2).
fn point(algorithm: SigningAlgorithm, length: usize, x: &[u8], y: &[u8]) -> Option<Material> {
    let whole = x.len() == length && y.len() == length;
    whole.then(|| Material::Bytes(algorithm, [&[4], x, y].concat()))
}

/// Shorter keys are within reach of whoever wants to factor them, longer ones only cost time.
fn rsa(n: &[u8], e: Vec<u8>) -> Option<Material> {
    // Some tools keep the sign byte of their big-integer library, against RFC 7518 6.3.1.1.
    let start = n.iter().position(|byte| *byte != 0)?;
    let n = n[start..].to_vec();
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    ((2048..=8192).contains(&bits) && !e.is_empty()).then_some(Material::Rsa { n, e })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn rfc8037_a_4_and_a_5_the_example_signature_is_checked() {
        let key = ClientKey::parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": X })).unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(SigningAlgorithm::EdDsa, message, &signature));
        assert!(
            !key.verify(SigningAlgorithm::Es256, message, &signature),
            "another algorithm"
        );
        signature[0] ^= 1;
        assert!(!key.verify(SigningAlgorithm::EdDsa, message, &signature));
    }

    #[test]
    fn rfc7517_4_what_a_key_says_of_itself_is_kept_to() {
        let with = |name: &str, value: Value| {
            let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "one" });
            jwk[name] = value;
            ClientKey::parse(&jwk)
        };
        let plain = with("use", json!("sig")).unwrap();
        assert!(
            plain.fits(SigningAlgorithm::EdDsa, Some("one")) && plain.fits(SigningAlgorithm::EdDsa, None)
        );
        assert!(!plain.fits(SigningAlgorithm::EdDsa, Some("two")));
        assert!(!plain.fits(SigningAlgorithm::Rs256, None));
        assert!(with("key_ops", json!(["verify"])).is_some());
        for (name, value) in [
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!("verify")),
            ("alg", json!("RS256")),
            ("alg", json!("HS256")),
            ("x", json!("AAAA")),
            ("x", json!("not base64url!")),
            ("crv", json!("X25519")),
        ] {
            assert!(with(name, value.clone()).is_none(), "{name}: {value}");
        }
        let short = json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" });
        assert!(ClientKey::parse(&short).is_none(), "1024 bits");
        let fit =
            json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "AQAB", "alg": "PS256" });
        let fit = ClientKey::parse(&fit).unwrap();
        assert!(fit.fits(SigningAlgorithm::Ps256, None) && !fit.fits(SigningAlgorithm::Rs256, None));
    }
}
