//! Signature algorithms of ID tokens, and the keys of a provider that check them, on aws-lc-rs.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    VerificationAlgorithm,
};
use openidconnect::JwsSigningAlgorithm;
use openidconnect::core::CoreJsonWebKeyType;
use serde::{Deserialize, Serialize};

/// A signature algorithm of ID tokens (RFC 7518 section 3.1, RFC 8037).
///
/// There is no `none` and no HMAC: a client secret is no signature key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384: the default of Keyback and Logto.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// Ed25519, also by its newer name `Ed25519` (RFC 9864).
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that this crate can check.
    pub const ALL: [Self; 10] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::EdDsa,
    ];

    /// What a client accepts unless it is told otherwise.
    pub const DEFAULT: [Self; 5] = [Self::Es384, Self::Rs256, Self::Es256, Self::Ps256, Self::EdDsa];

    /// The name in the `alg` header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDsa),
            _ => Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name),
        }
    }

    pub(crate) fn check(self) -> SignatureCheck {
        use SignatureCheck::{Rsa, Unparsed};
        match self {
            Self::Es256 => Unparsed(&ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Unparsed(&ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Unparsed(&ECDSA_P521_SHA512_FIXED),
            Self::EdDsa => Unparsed(&ED25519),
            Self::Rs256 => Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Rsa(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Rsa(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Rsa(&RSA_PSS_2048_8192_SHA512),
        }
    }

    /// The hash of `at_hash` (OpenID Connect Core section 3.1.3.6). Ed25519 hashes with SHA-512.
    pub(crate) fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Es256 | Self::Rs256 | Self::Ps256 => &digest::SHA256,
            Self::Es384 | Self::Rs384 | Self::Ps384 => &digest::SHA384,
            Self::Es512 | Self::Rs512 | Self::Ps512 | Self::EdDsa => &digest::SHA512,
        }
    }
}

/// Which of aws-lc-rs's checks an algorithm is.
pub(crate) enum SignatureCheck {
    Unparsed(&'static dyn VerificationAlgorithm),
    Rsa(&'static RsaParameters),
}

/// [`Algorithm`] as openidconnect wants it, kept apart so that no trait of its enters our interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub(crate) struct Jws(pub(crate) Algorithm);

impl JwsSigningAlgorithm for Jws {
    type KeyType = CoreJsonWebKeyType;

    fn key_type(&self) -> Option<CoreJsonWebKeyType> {
        Some(match self.0 {
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => CoreJsonWebKeyType::EllipticCurve,
            Algorithm::EdDsa => CoreJsonWebKeyType::OctetKeyPair,
            _ => CoreJsonWebKeyType::RSA,
        })
    }

    fn uses_shared_secret(&self) -> bool {
        false
    }

    fn rsa_sha_256() -> Self {
        Self(Algorithm::Rs256)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("unknown signature algorithm")]
pub(crate) struct UnknownAlgorithm;

impl TryFrom<String> for Jws {
    type Error = UnknownAlgorithm;

    fn try_from(name: String) -> Result<Self, UnknownAlgorithm> {
        Algorithm::parse(&name).map(Self).ok_or(UnknownAlgorithm)
    }
}

impl From<Jws> for &'static str {
    fn from(jws: Jws) -> Self {
        jws.0.as_str()
    }
}
