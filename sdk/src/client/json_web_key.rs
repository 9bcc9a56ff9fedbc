//! A provider's public key (RFC 7517), checked by aws-lc-rs behind openidconnect's trait.

use aws_lc_rs::digest::digest;
use aws_lc_rs::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKeyType, CoreJsonWebKeyUse};
use openidconnect::{JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, SignatureVerificationError};
use serde::{Deserialize, Serialize};

use super::algorithm::{Algorithm, Jws, SignatureCheck};

/// A public key, known to be well formed for its type.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Jwk", into = "Jwk")]
pub(crate) struct PublicKey {
    jwk: Jwk,
    key_type: CoreJsonWebKeyType,
    key_id: Option<JsonWebKeyId>,
    key_use: Option<CoreJsonWebKeyUse>,
    bound_to: Bound,
    material: Material,
}

impl PublicKey {
    pub(crate) fn can_verify(&self) -> bool {
        !matches!(self.material, Material::Unusable) && !matches!(self.bound_to, Bound::NotForSignatures)
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), &'static str> {
        let outcome = match (algorithm.check(), &self.material) {
            (SignatureCheck::Rsa(parameters), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (
                SignatureCheck::Unparsed(check),
                Material::Bytes {
                    bytes,
                    algorithm: own,
                },
            ) if *own == algorithm => UnparsedPublicKey::new(check, bytes).verify(message, signature),
            _ => return Err("the key does not fit the algorithm"),
        };
        outcome.map_err(|_| "wrong signature")
    }
}

impl JsonWebKey for PublicKey {
    type KeyUse = CoreJsonWebKeyUse;
    type SigningAlgorithm = Jws;

    fn key_id(&self) -> Option<&JsonWebKeyId> {
        self.key_id.as_ref()
    }

    fn key_type(&self) -> &CoreJsonWebKeyType {
        &self.key_type
    }

    fn key_use(&self) -> Option<&CoreJsonWebKeyUse> {
        self.key_use.as_ref()
    }

    fn signing_alg(&self) -> JsonWebKeyAlgorithm<&Jws> {
        match &self.bound_to {
            Bound::To(jws) => JsonWebKeyAlgorithm::Algorithm(jws),
            Bound::Free => JsonWebKeyAlgorithm::Unspecified,
            Bound::NotForSignatures => JsonWebKeyAlgorithm::Unsupported,
        }
    }

    fn new_symmetric(_key: Vec<u8>) -> Self {
        // Asked for by the trait only for HMAC, which no `Jws` is; a key without material verifies nothing.
        Self {
            jwk: Jwk::default(),
            key_type: CoreJsonWebKeyType::Symmetric,
            key_id: None,
            key_use: None,
            bound_to: Bound::NotForSignatures,
            material: Material::Unusable,
        }
    }

    fn verify_signature(
        &self,
        algorithm: &Jws,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureVerificationError> {
        self.verify(algorithm.0, message, signature)
            .map_err(|reason| SignatureVerificationError::CryptoError(reason.to_owned()))
    }

    fn hash_bytes(&self, bytes: &[u8], algorithm: &Jws) -> Result<Vec<u8>, String> {
        Ok(digest(algorithm.0.hash(), bytes).as_ref().to_vec())
    }
}

/// What a key may be used for, by its `alg` or, on a curve, by its nature.
#[derive(Clone, Debug)]
enum Bound {
    To(Jws),
    Free,
    NotForSignatures,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point or an Ed25519 key, which serve one algorithm only.
    Bytes {
        bytes: Vec<u8>,
        algorithm: Algorithm,
    },
    /// A key of a kind we know nothing about.
    Unusable,
}

/// The members of a JWK that a signature needs. Others may be there and are ignored (RFC 7517 section 4).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Jwk {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    key_use: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("the key is not well formed")]
struct BadKey;

impl TryFrom<Jwk> for PublicKey {
    type Error = BadKey;

    fn try_from(jwk: Jwk) -> Result<Self, BadKey> {
        let (key_type, material) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let (mut n, e) = (member(&jwk.n)?, member(&jwk.e)?);
                // Some providers keep the sign byte of their big-integer library.
                let padding = n.iter().take_while(|byte| **byte == 0).count();
                n.drain(..padding);
                (CoreJsonWebKeyType::RSA, Material::Rsa { n, e })
            }
            ("EC", Some("P-256")) => point(&jwk, 32, Algorithm::Es256)?,
            ("EC", Some("P-384")) => point(&jwk, 48, Algorithm::Es384)?,
            ("EC", Some("P-521")) => point(&jwk, 66, Algorithm::Es512)?,
            ("OKP", Some("Ed25519")) => {
                let bytes = member(&jwk.x)?;
                if bytes.len() != 32 {
                    return Err(BadKey);
                }
                (
                    CoreJsonWebKeyType::OctetKeyPair,
                    Material::Bytes {
                        bytes,
                        algorithm: Algorithm::EdDsa,
                    },
                )
            }
            _ => return Err(BadKey),
        };
        let key_use = jwk.key_use.as_deref().map(|word| match word {
            "sig" => CoreJsonWebKeyUse::Signature,
            "enc" => CoreJsonWebKeyUse::Encryption,
            other => CoreJsonWebKeyUse::Other(other.to_owned()),
        });
        let for_signatures = jwk.key_use.as_deref().is_none_or(|word| word == "sig")
            && jwk
                .key_ops
                .as_ref()
                .is_none_or(|operations| operations.iter().any(|op| op == "verify"));
        let bound_to = match (&material, jwk.alg.as_deref()) {
            _ if !for_signatures => Bound::NotForSignatures,
            // On a curve only one algorithm is possible; saying so tells keys without an id apart.
            (Material::Bytes { algorithm, .. }, None) => Bound::To(Jws(*algorithm)),
            (_, None) => Bound::Free,
            (_, Some(name)) => {
                Algorithm::parse(name).map_or(Bound::NotForSignatures, |algorithm| Bound::To(Jws(algorithm)))
            }
        };
        let key_id = jwk.kid.clone().map(JsonWebKeyId::new);
        Ok(Self {
            jwk,
            key_type,
            key_id,
            key_use,
            bound_to,
            material,
        })
    }
}

impl From<PublicKey> for Jwk {
    fn from(key: PublicKey) -> Self {
        key.jwk
    }
}

fn member(text: &Option<String>) -> Result<Vec<u8>, BadKey> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text.as_deref().ok_or(BadKey)?)
        .map_err(|_| BadKey)?;
    if bytes.is_empty() { Err(BadKey) } else { Ok(bytes) }
}

/// The uncompressed point 0x04 ‖ x ‖ y (SEC 1 section 2.3.3). Both coordinates have full length (RFC 7518
/// section 6.2.1.2).
fn point(jwk: &Jwk, length: usize, algorithm: Algorithm) -> Result<(CoreJsonWebKeyType, Material), BadKey> {
    let (x, y) = (member(&jwk.x)?, member(&jwk.y)?);
    if x.len() != length || y.len() != length {
        return Err(BadKey);
    }
    let bytes = [&[0x04], x.as_slice(), y.as_slice()].concat();
    Ok((
        CoreJsonWebKeyType::EllipticCurve,
        Material::Bytes { bytes, algorithm },
    ))
}
