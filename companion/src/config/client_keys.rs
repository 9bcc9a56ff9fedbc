//! The public keys of an app that signs instead of knowing a secret (RFC 7517), as the configuration holds them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::oidc::client_keys::KeySet;

/// A key set that was read and can be used.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct ClientKeys {
    document: Value,
    keys: KeySet,
}

impl ClientKeys {
    /// Reads the text of a key set.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| format!("the key set is not JSON: {error}"))?;
        let keys = KeySet::parse(&document).map_err(|error| error.to_string())?;
        Ok(Self { document, keys })
    }

    /// The keys that can check a signature.
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }
}

impl TryFrom<Value> for ClientKeys {
    type Error = String;

    /// JSON as text, which is what a TOML file and `jwks_file` hold, or the document itself.
    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse(&text),
            document => {
                let keys = KeySet::parse(&document).map_err(|error| error.to_string())?;
                Ok(Self { document, keys })
            }
        }
    }
}

impl From<ClientKeys> for Value {
    fn from(keys: ClientKeys) -> Self {
        keys.document
    }
}
