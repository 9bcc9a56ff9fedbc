//! `[backend]`: who owns the accounts.

use serde::{Deserialize, Serialize};

/// `[backend]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackendConfig {
    pub kind: BackendKind,
}

/// Who owns the accounts and the passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// The companion itself, in its own store.
    #[default]
    Embedded,
}
