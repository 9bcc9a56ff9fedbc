//! The key that access tokens are bound to, kept with the session.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::client::Algorithm;
use crate::client::signing_key::{SigningFailed, SigningKey};
use crate::secret::Secret;

/// The one algorithm of proofs: every provider with DPoP that lists any lists it.
pub(crate) const ALGORITHM: Algorithm = Algorithm::Es256;

/// The private key that a session's access tokens are bound to (RFC 9449), made for it when the code is exchanged.
///
/// It belongs to the session and lives as long: [`Session::dpop_key`](crate::Session::dpop_key) gives it. Its serialised form is
/// the private key itself. Keep it as the tokens are kept, sealed or in the server's own store: whoever has both has what DPoP
/// was to prevent.
#[derive(Clone)]
pub struct DpopKey {
    key: Arc<SigningKey>,
    public: Arc<Value>,
}

impl DpopKey {
    pub(crate) fn generate() -> Result<Self, SigningFailed> {
        Self::new(SigningKey::generate()?).ok_or(SigningFailed)
    }

    fn new(key: SigningKey) -> Option<Self> {
        let public = key.public_jwk()?;
        Some(Self {
            key: Arc::new(key),
            public: Arc::new(public),
        })
    }

    pub(super) fn public(&self) -> &Value {
        &self.public
    }

    pub(super) fn jwt(&self, header: Value, claims: &Value) -> Result<Secret, SigningFailed> {
        self.key.jwt(header, claims)
    }
}

impl Serialize for DpopKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let der = self
            .key
            .to_pkcs8()
            .ok_or_else(|| ser::Error::custom("the key can't be written"))?;
        serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(&*der)))
    }
}

impl<'de> Deserialize<'de> for DpopKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let malformed = || de::Error::custom("this is no DPoP key");
        let text = Secret::deserialize(deserializer)?;
        let der = URL_SAFE_NO_PAD
            .decode(text.expose())
            .map(Zeroizing::new)
            .map_err(|_| malformed())?;
        let key = SigningKey::from_pkcs8(ALGORITHM, &der).map_err(|_| malformed())?;
        Self::new(key).ok_or_else(malformed)
    }
}

/// Without the key.
impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DpopKey [redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_stored_form_and_is_never_printed() {
        let key = DpopKey::generate().expect("a key can be made");
        let stored = serde_json::to_string(&key).expect("it can be written");
        let again: DpopKey = serde_json::from_str(&stored).expect("it can be read");
        assert_eq!(again.public(), key.public());
        assert_eq!(format!("{key:?}"), "DpopKey [redacted]");
        for bad in ["\"\"", "\"AAAA\"", "7", "null"] {
            assert!(serde_json::from_str::<DpopKey>(bad).is_err(), "{bad}");
        }
    }
}
