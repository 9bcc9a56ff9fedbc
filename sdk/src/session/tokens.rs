//! The tokens of a session.

use std::fmt;
use std::time::SystemTime;

use crate::secret::Secret;

/// What the token endpoint gave besides the ID token (RFC 6749 section 5.1). Secrets are wiped when dropped and never
/// printed.
#[derive(Clone)]
pub struct TokenSet {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) scopes: Option<Vec<String>>,
}

impl TokenSet {
    /// The bearer token: for the provider in a [`Session`](crate::Session), for an API in an
    /// [`ApiAccess`](crate::ApiAccess).
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.access_token.expose()
    }

    /// The token for new tokens, in a session with `offline_access`.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_ref().map(Secret::expose)
    }

    /// When the access token expires, if the provider says so.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// The granted scopes, if they differ from those asked for (RFC 6749 section 5.1) or the provider names them
    /// anyway.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("refreshable", &self.refresh_token.is_some())
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
