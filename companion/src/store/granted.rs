//! What a grant gave, as the rows of the codes and refresh tokens that hang on it bring it along.

use keyback_core::time::Timestamp;
use sqlx::FromRow;

use super::StoreError;

/// The columns of [`Granted`], of the table `grants` as `g`.
macro_rules! granted_columns {
    () => {
        "g.id AS grant_id, g.user_id, g.client_id, g.session_id, g.offline, g.scope, g.resources, g.auth_time, \
         g.amr, g.claims, g.expires_at AS grant_expires_at"
    };
}
pub(super) use granted_columns;

/// What a person gave an app, and in which sign-in.
#[derive(Clone, Debug, FromRow)]
pub struct Granted {
    pub grant_id: String,
    pub user_id: String,
    pub client_id: String,
    pub session_id: String,
    /// Whether `offline_access` was granted.
    pub offline: bool,
    pub scope: String,
    resources: String,
    auth_time: i64,
    pub amr: String,
    /// The claims asked for by name, as JSON.
    pub claims: Option<String>,
    grant_expires_at: i64,
}

impl Granted {
    /// The granted resource indicators.
    pub fn resources(&self) -> Result<Vec<String>, StoreError> {
        serde_json::from_str(&self.resources).map_err(|error| StoreError::Corrupt {
            table: "grants",
            reason: error.to_string(),
        })
    }

    pub fn auth_time(&self) -> Timestamp {
        Timestamp::from_millis(self.auth_time)
    }

    /// The end of the grant, however often its tokens are refreshed.
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_millis(self.grant_expires_at)
    }
}
