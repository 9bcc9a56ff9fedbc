//! The public keys of apps that sign instead of knowing a secret: where they come from, and what they check.

mod fetched;
mod key;

use std::sync::Arc;

use serde_json::Value;
use url::Url;

pub(super) use fetched::FetchedKeys;
use key::ClientKey;
pub(super) use key::SigningAlgorithm;

/// Keys of one app at most. Without a `kid`, each that fits is tried.
const MOST_KEYS: usize = 20;

/// A key set (RFC 7517 5): what of it can check a signature.
#[derive(Clone, Debug)]
pub(crate) struct KeySet(Vec<ClientKey>);

/// Why a key set can't be used. For the app's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("a key set is a JSON object with the member \"keys\", a list (RFC 7517 5)")]
    NotASet,
    #[error("the key set has more than 20 keys")]
    TooMany,
    #[error(
        "the key set holds a private or a secret key: give the public halves alone, and replace that key, since it \
         has been in the wrong place"
    )]
    Private,
    #[error(
        "the key set holds no key that can check a signature: an EC key on P-256 or P-384, an Ed25519 key, or an RSA \
         key of 2048 to 8192 bits"
    )]
    NoneUsable,
}

impl KeySet {
    /// Reads a key set. Keys of other kinds and for other uses are left out (RFC 7517 5); private ones refuse all.
    pub(crate) fn parse(document: &Value) -> Result<Self, KeySetError> {
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeySetError::NotASet)?;
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        // `d` is private in EC, OKP and RSA keys (RFC 7518 6), `k` the whole of a symmetric one.
        if keys
            .iter()
            .any(|key| key.get("d").is_some() || key.get("k").is_some())
        {
            return Err(KeySetError::Private);
        }
        let usable: Vec<_> = keys.iter().filter_map(ClientKey::parse).collect();
        if usable.is_empty() {
            return Err(KeySetError::NoneUsable);
        }
        Ok(Self(usable))
    }

    /// Whether a key may be the one that a header names.
    pub(super) fn has_key_for(&self, algorithm: SigningAlgorithm, kid: Option<&str>) -> bool {
        self.0.iter().any(|key| key.fits(algorithm, kid))
    }

    /// Whether a key that fits the header has made the signature.
    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let mut fitting = self.0.iter().filter(|key| key.fits(algorithm, kid));
        fitting.any(|key| key.verify(algorithm, message, signature))
    }
}

/// Where the keys of an app are.
#[derive(Clone, Debug)]
pub(super) enum KeySource {
    /// In the configuration or the store.
    Fixed(Arc<KeySet>),
    /// Published by the app.
    Published(Url),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc7517_5_keys_of_other_kinds_are_left_out_and_private_ones_refuse_all() {
        let ed25519 =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let set = |keys: Value| KeySet::parse(&json!({ "keys": keys }));
        let unknown = json!({ "kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA" });
        assert_eq!(set(json!([unknown, ed25519])).unwrap().0.len(), 1);
        assert_eq!(set(json!([unknown])).unwrap_err(), KeySetError::NoneUsable);
        assert_eq!(set(json!([])).unwrap_err(), KeySetError::NoneUsable);
        let mut private = ed25519.clone();
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        assert_eq!(set(json!([ed25519, private])).unwrap_err(), KeySetError::Private);
        let symmetric = json!({ "kty": "oct", "k": "AAAA" });
        assert_eq!(set(json!([symmetric])).unwrap_err(), KeySetError::Private);
        assert_eq!(set(json!(vec![ed25519; 21])).unwrap_err(), KeySetError::TooMany);
        for document in [json!([]), json!({ "keys": {} }), json!("x")] {
            assert_eq!(KeySet::parse(&document).unwrap_err(), KeySetError::NotASet);
        }
    }
}
