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
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
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

    /// A key as an app may publish it: what means something there, and what does not.
    fn any_key() -> impl Strategy<Value = Value> {
        let member = |words: &'static [&'static str]| {
            prop_oneof![
                6 => prop::sample::select(words).prop_map(Value::from),
                1 => "(?s).{0,8}".prop_map(Value::from),
                1 => prop::sample::select(vec![Value::Null, json!(7), json!([]), json!(["verify", 3]), json!({})]),
            ]
        };
        let bytes = || {
            let lengths = prop::sample::select(vec![0_usize, 1, 3, 31, 32, 48, 256, 2_000]);
            let drawn = lengths.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
            drawn.prop_map(|bytes| Value::from(URL_SAFE_NO_PAD.encode(bytes)))
        };
        let words = (
            member(&["EC", "OKP", "RSA"]),
            member(&["P-256", "P-384", "Ed25519"]),
            member(&["ES256", "ES384", "RS256", "PS256", "EdDSA", "none"]),
            member(&["sig", "enc"]),
        );
        (words, bytes(), bytes(), bytes(), any::<u16>()).prop_map(|(words, x, y, e, left_out)| {
            let (kty, crv, alg, usage) = words;
            let all = json!({ "kty": kty, "crv": crv, "alg": alg, "use": usage, "x": x, "y": y, "n": x, "e": e, "kid": "one" });
            let members = all.as_object().into_iter().flatten().enumerate();
            let kept = members.filter(|(at, _)| left_out & (0b1_0000 << at) == 0);
            kept.map(|(_, (name, value))| (name.clone(), value.clone())).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// It is read or refused, and no key of it takes a signature that nobody made.
        #[test]
        fn rfc7517_5_whatever_an_app_publishes_signs_nothing_by_itself(
            keys in prop::collection::vec(prop_oneof![5 => any_key(), 1 => Just(json!("x"))], 0..24),
            signature in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let read = KeySet::parse(&json!({ "keys": keys }));
            prop_assert!(read.is_err() || keys.len() <= MOST_KEYS);
            if let Ok(set) = read {
                for name in SigningAlgorithm::NAMES {
                    let algorithm = SigningAlgorithm::parse(name).unwrap();
                    for kid in [None, Some("one"), Some("")] {
                        prop_assert!(!set.verify(algorithm, kid, b"message", &signature));
                    }
                }
            }
        }
    }
}
