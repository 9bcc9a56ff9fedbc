//! Signatures: JWS in compact form (RFC 7515) with ES384 and RS256 (RFC 7518), on aws-lc-rs.

use aws_lc_rs::digest::{self, SHA256, SHA384};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::config::app::IdTokenAlg;

/// Bytes of a P-384 coordinate (RFC 7518 6.2.1.2).
const P384_COORDINATE: usize = 48;

/// The name of an algorithm in a JOSE header (RFC 7518 3.1).
pub(super) const fn name(algorithm: IdTokenAlg) -> &'static str {
    match algorithm {
        IdTokenAlg::ES384 => "ES384",
        IdTokenAlg::RS256 => "RS256",
    }
}

/// The left half of a value's hash by the hash function of the signature: `at_hash` (OIDC Core 3.1.3.6).
pub(super) fn half_hash(algorithm: IdTokenAlg, value: &str) -> String {
    let function = match algorithm {
        IdTokenAlg::ES384 => &SHA384,
        IdTokenAlg::RS256 => &SHA256,
    };
    let hash = digest::digest(function, value.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

/// A private key.
pub(super) enum SigningKey {
    Es384(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// aws-lc refused a key or a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key can't be read or used")]
pub(super) struct BadKey;

impl SigningKey {
    /// Draws a new key from aws-lc's own generator. RSA takes long: not for the async threads.
    pub(super) fn generate(algorithm: IdTokenAlg) -> Result<Self, BadKey> {
        match algorithm {
            IdTokenAlg::ES384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)
                .map(Self::Es384)
                .map_err(|_| BadKey),
            IdTokenAlg::RS256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .map(Self::Rs256)
                .map_err(|_| BadKey),
        }
    }

    /// Reads a PKCS #8 document.
    pub(super) fn from_pkcs8(algorithm: IdTokenAlg, pkcs8: &[u8]) -> Result<Self, BadKey> {
        match algorithm {
            IdTokenAlg::ES384 => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8)
                .map(Self::Es384)
                .map_err(|_| BadKey),
            IdTokenAlg::RS256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rs256).map_err(|_| BadKey),
        }
    }

    /// Writes a PKCS #8 document.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let bytes = match self {
            Self::Es384(pair) => pair.to_pkcs8v1().map_err(|_| BadKey)?.as_ref().to_vec(),
            Self::Rs256(pair) => pair.as_der().map_err(|_| BadKey)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The public half, named by its thumbprint (RFC 7638).
    pub(super) fn public_jwk(&self) -> Result<Jwk, BadKey> {
        let (material, algorithm) = match self {
            Self::Es384(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                let xy = point
                    .get(1..)
                    .filter(|xy| xy.len() == 2 * P384_COORDINATE)
                    .ok_or(BadKey)?;
                let (x, y) = xy.split_at(P384_COORDINATE);
                let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                (
                    Material::Ec {
                        crv: "P-384".to_owned(),
                        x,
                        y,
                    },
                    IdTokenAlg::ES384,
                )
            }
            Self::Rs256(pair) => {
                let (n, e) = rsa_integers(pair.public_key().as_ref()).ok_or(BadKey)?;
                let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
                (Material::Rsa { n, e }, IdTokenAlg::RS256)
            }
        };
        Ok(Jwk {
            kid: material.thumbprint(),
            alg: algorithm,
            usage: "sig".to_owned(),
            material,
        })
    }

    /// Signs `claims` under a header of `typ` and `kid`.
    pub(super) fn sign(&self, typ: &str, kid: &str, claims: &impl Serialize) -> Result<String, BadKey> {
        let alg = name(self.algorithm());
        let header = serde_json::to_vec(&Header { alg, kid, typ }).map_err(|_| BadKey)?;
        let claims = serde_json::to_vec(claims).map_err(|_| BadKey)?;
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let rng = SystemRandom::new();
        let signature = match self {
            Self::Es384(pair) => pair
                .sign(&rng, token.as_bytes())
                .map_err(|_| BadKey)?
                .as_ref()
                .to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, token.as_bytes(), &mut signature)
                    .map_err(|_| BadKey)?;
                signature
            }
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    pub(super) fn algorithm(&self) -> IdTokenAlg {
        match self {
            Self::Es384(_) => IdTokenAlg::ES384,
            Self::Rs256(_) => IdTokenAlg::RS256,
        }
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'a str,
}

/// A public key as a JWK (RFC 7517).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Jwk {
    pub(super) kid: String,
    pub(super) alg: IdTokenAlg,
    #[serde(rename = "use")]
    usage: String,
    #[serde(flatten)]
    material: Material,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kty")]
enum Material {
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
}

impl Material {
    /// RFC 7638 3: the required members in the order of their names, without white space.
    fn thumbprint(&self) -> String {
        let members = match self {
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest::digest(&SHA256, members.as_bytes()))
    }
}

impl Jwk {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        match &self.material {
            Material::Ec { x, y, .. } => {
                let mut point = vec![4];
                point.extend(URL_SAFE_NO_PAD.decode(x).ok()?);
                point.extend(URL_SAFE_NO_PAD.decode(y).ok()?);
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                    .verify(message, signature)
                    .ok()
            }
            Material::Rsa { n, e } => {
                let n = URL_SAFE_NO_PAD.decode(n).ok()?;
                let e = URL_SAFE_NO_PAD.decode(e).ok()?;
                RsaPublicKeyComponents { n, e }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .ok()
            }
        }
    }
}

/// Opens a token that one of `keys` signed. The key says which algorithm it is for: the token's `alg` must agree,
/// and chooses nothing.
pub(super) fn open<'k, C: for<'de> Deserialize<'de>>(
    token: &str,
    mut keys: impl Iterator<Item = &'k Jwk>,
) -> Option<C> {
    #[derive(Deserialize)]
    struct Sent {
        alg: String,
        kid: String,
    }

    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header: Sent = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let key = keys.find(|key| key.kid == header.kid && name(key.alg) == header.alg)?;
    key.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// The modulus and exponent of an `RSAPublicKey` (RFC 8017 A.1.1): a DER sequence of two integers.
pub(super) fn rsa_integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der_value(der, 0x30)?;
    let (n, rest) = der_value(sequence, 0x02)?;
    let (e, _) = der_value(rest, 0x02)?;
    // A leading zero marks the sign; JWKs leave it out (RFC 7518 6.3.1.1).
    let unsigned = |integer| <[u8]>::strip_prefix(integer, &[0]).unwrap_or(integer);
    Some((unsigned(n), unsigned(e)))
}

/// The value of a DER element of the tag given, and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        (
            digits.iter().try_fold(0_usize, |sum, digit| {
                sum.checked_mul(256)?.checked_add((*digit).into())
            })?,
            rest,
        )
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_a_key_signs_opens_by_its_jwk_and_by_no_other() {
        for algorithm in [IdTokenAlg::ES384, IdTokenAlg::RS256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let again = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8().unwrap()).unwrap();
            let jwk = again.public_jwk().unwrap();
            let token = key.sign("JWT", &jwk.kid, &json!({ "sub": "u" })).unwrap();
            assert_eq!(open::<Value>(&token, [&jwk].into_iter()).unwrap()["sub"], "u");

            let other = SigningKey::generate(algorithm).unwrap().public_jwk().unwrap();
            assert!(open::<Value>(&token, [&other].into_iter()).is_none());
            let renamed = Jwk {
                kid: jwk.kid.clone(),
                ..other
            };
            assert!(
                open::<Value>(&token, [&renamed].into_iter()).is_none(),
                "a foreign key of the same name"
            );
            let (message, signature) = token.rsplit_once('.').unwrap();
            let (_, claims) = message.split_once('.').unwrap();
            let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": jwk.kid }).to_string());
            for forged in [
                format!("{none}.{claims}."),
                format!("{none}.{claims}.{signature}"),
            ] {
                assert!(open::<Value>(&forged, [&jwk].into_iter()).is_none());
            }
            assert!(open::<Value>(message, [&jwk].into_iter()).is_none());
        }
    }

    #[test]
    fn rfc7638_3_1_the_thumbprint_of_the_example_key() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = Material::Rsa {
            n: n.to_owned(),
            e: "AQAB".to_owned(),
        };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_public_exponent_of_our_rsa_keys_is_65537() {
        let key = SigningKey::generate(IdTokenAlg::RS256)
            .unwrap()
            .public_jwk()
            .unwrap();
        let Material::Rsa { n, e } = key.material else {
            panic!("an RSA key")
        };
        assert_eq!(e, "AQAB");
        assert_eq!(URL_SAFE_NO_PAD.decode(n).unwrap().len(), 256);
    }
}
