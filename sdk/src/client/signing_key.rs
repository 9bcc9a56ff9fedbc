//! A private key that signs JWTs (RFC 7515), on aws-lc-rs.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Algorithm;
use crate::secret::Secret;

/// A key with the one algorithm that it signs by.
pub(crate) struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    /// The bytes are no key of this algorithm.
    Malformed,
    /// This crate doesn't sign by this algorithm.
    Algorithm,
}

/// The signature failed: the library's own word is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing could be signed")]
pub(crate) struct SigningFailed;

impl SigningKey {
    /// A new key on P-256 (RFC 7518 section 3.4).
    pub(crate) fn generate() -> Result<Self, SigningFailed> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SigningFailed)?;
        Ok(Self {
            algorithm: Algorithm::Es256,
            pair: Pair::Ec(pair),
        })
    }

    /// A key in PKCS#8 (RFC 5958).
    pub(crate) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, BadKey> {
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                EcdsaKeyPair::from_pkcs8(curve(algorithm)?.0, der).map(Pair::Ec)
            }
            // Most tools write the form without the public half (RFC 8410 section 7).
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519),
            _ => {
                let encoding = encoding(algorithm)?;
                RsaKeyPair::from_pkcs8(der).map(|pair| Pair::Rsa(pair, encoding))
            }
        };
        Ok(Self {
            algorithm,
            pair: pair.map_err(|_| BadKey::Malformed)?,
        })
    }

    /// A private JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), and its `kid`.
    pub(crate) fn from_jwk(json: &[u8]) -> Result<(Self, Option<String>), BadKey> {
        let jwk: PrivateJwk = serde_json::from_slice(json).map_err(|_| BadKey::Malformed)?;
        let algorithm = jwk.algorithm()?;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                let (curve, length) = curve(algorithm)?;
                let (x, y) = (bytes(jwk.x.as_ref())?, bytes(jwk.y.as_ref())?);
                if x.len() != length || y.len() != length {
                    return Err(BadKey::Malformed);
                }
                let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
                EcdsaKeyPair::from_private_key_and_public_key(curve, &bytes(jwk.d.as_ref())?, &point)
                    .map(Pair::Ec)
            }
            Algorithm::EdDsa => {
                Ed25519KeyPair::from_seed_and_public_key(&bytes(jwk.d.as_ref())?, &bytes(jwk.x.as_ref())?)
                    .map(Pair::Ed25519)
            }
            _ => {
                let encoding = encoding(algorithm)?;
                RsaKeyPair::from_components(&jwk.rsa()?).map(|pair| Pair::Rsa(pair, encoding))
            }
        };
        Ok((
            Self {
                algorithm,
                pair: pair.map_err(|_| BadKey::Malformed)?,
            },
            jwk.kid,
        ))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The private key in PKCS#8, of a key on a curve of NIST.
    pub(crate) fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        match &self.pair {
            Pair::Ec(pair) => {
                let document = pair.to_pkcs8v1().ok()?;
                Some(Zeroizing::new(document.as_ref().to_vec()))
            }
            Pair::Ed25519(_) | Pair::Rsa(..) => None,
        }
    }

    /// The public half of a key on a curve of NIST, with the members that RFC 7638 section 3.2 names.
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        let Pair::Ec(pair) = &self.pair else { return None };
        let name = if self.algorithm == Algorithm::Es384 {
            "P-384"
        } else {
            "P-256"
        };
        let (_, length) = curve(self.algorithm).ok()?;
        let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(length)?;
        Some(json!({
            "crv": name,
            "kty": "EC",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        }))
    }

    /// A JWT with this header, to which `alg` is added, and these claims (RFC 7515 section 7.1).
    pub(crate) fn jwt(&self, mut header: Value, claims: &Value) -> Result<Secret, SigningFailed> {
        header["alg"] = json!(self.algorithm.as_str());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&header), part(claims));
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        // The randomness of a signature is aws-lc-rs's own and no argument: a repeated one would give the key away.
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| SigningFailed)
    }
}

/// Without the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The curve, and the length of its coordinates in bytes.
fn curve(algorithm: Algorithm) -> Result<(&'static EcdsaSigningAlgorithm, usize), BadKey> {
    match algorithm {
        Algorithm::Es256 => Ok((&ECDSA_P256_SHA256_FIXED_SIGNING, 32)),
        Algorithm::Es384 => Ok((&ECDSA_P384_SHA384_FIXED_SIGNING, 48)),
        _ => Err(BadKey::Algorithm),
    }
}

fn encoding(algorithm: Algorithm) -> Result<&'static dyn RsaEncoding, BadKey> {
    match algorithm {
        Algorithm::Rs256 => Ok(&RSA_PKCS1_SHA256),
        Algorithm::Ps256 => Ok(&RSA_PSS_SHA256),
        _ => Err(BadKey::Algorithm),
    }
}

/// The members of a private JWK that make a key.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Secret>,
    n: Option<String>,
    e: Option<String>,
    p: Option<Secret>,
    q: Option<Secret>,
    dp: Option<Secret>,
    dq: Option<Secret>,
    qi: Option<Secret>,
}

impl PrivateJwk {
    /// A curve has one algorithm; an RSA key that names none signs RS256, as registrations take it for.
    fn algorithm(&self) -> Result<Algorithm, BadKey> {
        let own = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("EC", Some("P-384")) => Algorithm::Es384,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            ("RSA", _) => match self.alg.as_deref() {
                None | Some("RS256") => return Ok(Algorithm::Rs256),
                Some("PS256") => return Ok(Algorithm::Ps256),
                Some(_) => return Err(BadKey::Algorithm),
            },
            _ => return Err(BadKey::Algorithm),
        };
        match self.alg.as_deref() {
            Some(name) if Algorithm::parse(name) != Some(own) => Err(BadKey::Algorithm),
            _ => Ok(own),
        }
    }

    fn rsa(&self) -> Result<KeyPairComponents<Zeroizing<Vec<u8>>>, BadKey> {
        let private = |member: &Option<Secret>| bytes(member.as_ref());
        Ok(KeyPairComponents {
            public_key: PublicKeyComponents {
                n: bytes(self.n.as_ref())?,
                e: bytes(self.e.as_ref())?,
            },
            d: private(&self.d)?,
            p: private(&self.p)?,
            q: private(&self.q)?,
            dP: private(&self.dp)?,
            dQ: private(&self.dq)?,
            qInv: private(&self.qi)?,
        })
    }
}

/// A member of a JWK: base64url, wiped when dropped.
fn bytes(member: Option<&impl Member>) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    let text = member.ok_or(BadKey::Malformed)?.text();
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadKey::Malformed)?;
    Ok(Zeroizing::new(bytes))
}

trait Member {
    fn text(&self) -> &str;
}

impl Member for String {
    fn text(&self) -> &str {
        self
    }
}

impl Member for Secret {
    fn text(&self) -> &str {
        self.expose()
    }
}
