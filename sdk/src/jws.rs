//! Signed JWTs of the provider's that are no ID tokens (RFC 7515): their parts, what their header may ask for, and the
//! signature by one of the provider's keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm, JwsSigningAlgorithm as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::algorithm::Jws;
use crate::client::{Algorithm, KeySet, PublicKey};
use crate::error::{AccessTokenError, LogoutTokenError, algorithm_name};

/// Why a token is no JWT that one of the provider's keys has signed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    Malformed,
    UnsupportedHeader,
    Unsigned,
    AlgorithmRefused { algorithm: String },
    UnknownKey,
    AmbiguousKey,
    BadSignature,
}

/// Each kind of token has errors of its own, which name these faults among others.
macro_rules! named_by {
    ($($error:ident),+) => {$(
        impl From<JwsError> for $error {
            fn from(error: JwsError) -> Self {
                match error {
                    JwsError::Malformed => Self::Malformed,
                    JwsError::UnsupportedHeader => Self::UnsupportedHeader,
                    JwsError::Unsigned => Self::Unsigned,
                    JwsError::AlgorithmRefused { algorithm } => Self::AlgorithmRefused { algorithm },
                    JwsError::UnknownKey => Self::UnknownKey,
                    JwsError::AmbiguousKey => Self::AmbiguousKey,
                    JwsError::BadSignature => Self::BadSignature,
                }
            }
        }
    )+};
}

named_by!(AccessTokenError, LogoutTokenError);

/// What the unverified header says. It chooses among our keys and algorithms, and can add none.
#[derive(Deserialize)]
pub(crate) struct Header {
    alg: String,
    #[serde(default, rename = "kid")]
    pub(crate) key_id: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    cty: Option<String>,
}

impl Header {
    /// The header of a token of three parts (RFC 7515 section 7.1), which is not longer than `longest`.
    pub(crate) fn parse(raw: &str, longest: usize) -> Result<Self, JwsError> {
        if raw.len() > longest || raw.split('.').count() != 3 {
            return Err(JwsError::Malformed);
        }
        serde_json::from_slice(&part(raw, 0)?).map_err(|_| JwsError::Malformed)
    }

    /// `typ` in lower case and without the `application/` that may be left out (RFC 7515 section 4.1.9).
    pub(crate) fn media_type(&self) -> Option<String> {
        let typ = self.typ.as_deref()?.to_ascii_lowercase();
        Some(match typ.strip_prefix("application/") {
            Some(short) => short.to_owned(),
            None => typ,
        })
    }

    /// Extensions that must be understood are not, and what is nested is not looked into.
    pub(crate) fn check_extensions(&self) -> Result<(), JwsError> {
        if self.crit.is_some() || self.cty.is_some() {
            return Err(JwsError::UnsupportedHeader);
        }
        Ok(())
    }

    /// The algorithm, which must be on the client's own list. `none` and HMAC are on nobody's.
    pub(crate) fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, JwsError> {
        if self.alg.eq_ignore_ascii_case("none") {
            return Err(JwsError::Unsigned);
        }
        match Algorithm::parse(&self.alg) {
            Some(algorithm) if allowed.contains(&algorithm) => Ok(algorithm),
            _ => Err(JwsError::AlgorithmRefused {
                algorithm: algorithm_name(&self.alg),
            }),
        }
    }

    /// The signature, by the one key of the provider that the token names.
    pub(crate) fn check_signature(
        &self,
        raw: &str,
        algorithm: Algorithm,
        keys: &KeySet,
    ) -> Result<(), JwsError> {
        let jws = Jws(algorithm);
        let key = self.choose(keys, &jws)?;
        let (message, _) = raw.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let signature = part(raw, 2)?;
        key.verify_signature(&jws, message.as_bytes(), &signature)
            .map_err(|_| JwsError::BadSignature)
    }

    /// Whether newer keys might change the verdict: the provider may have changed them. A token without a key id cannot
    /// say so, its signature only fails.
    pub(crate) fn calls_for_newer_keys(&self, error: &JwsError) -> bool {
        match error {
            JwsError::UnknownKey => true,
            JwsError::BadSignature => self.key_id.is_none(),
            _ => false,
        }
    }

    /// The key of this id, which must be for this algorithm. Without an id there must be only one that fits.
    fn choose<'k>(&self, keys: &'k KeySet, jws: &Jws) -> Result<&'k PublicKey, JwsError> {
        let fits = |key: &&PublicKey| match key.signing_alg() {
            JsonWebKeyAlgorithm::Algorithm(own) => own == jws,
            JsonWebKeyAlgorithm::Unspecified => jws.key_type().as_ref() == Some(key.key_type()),
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        let of_id = |key: &&PublicKey| match &self.key_id {
            None => true,
            Some(key_id) => key.key_id().is_some_and(|own| own.as_str() == key_id),
        };
        let mut fitting = keys.keys().iter().filter(fits).filter(of_id);
        match (fitting.next(), fitting.next()) {
            (None, _) => Err(JwsError::UnknownKey),
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(JwsError::AmbiguousKey),
        }
    }
}

/// The unverified payload.
pub(crate) fn claims(raw: &str) -> Result<Map<String, Value>, JwsError> {
    serde_json::from_slice(&part(raw, 1)?).map_err(|_| JwsError::Malformed)
}

fn part(raw: &str, index: usize) -> Result<Vec<u8>, JwsError> {
    let part = raw.split('.').nth(index).ok_or(JwsError::Malformed)?;
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed)
}
