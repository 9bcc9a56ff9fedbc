//! An access token for an API, an organization, or the provider: bearer or bound.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::dpop::DpopKey;
use crate::jws;
use crate::secret::Secret;

/// An access token, and for whom it is. It is wiped when dropped and never printed.
#[derive(Clone)]
pub struct AccessToken {
    pub(super) token: Secret,
    pub(super) resource: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) expires_at: Option<SystemTime>,
    pub(super) binding: Option<DpopKey>,
}

impl AccessToken {
    /// The token itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.token.expose()
    }

    /// The value of an `Authorization` header (RFC 6750 section 2.1). Where the token is [bound](Self::is_bound), a proof goes
    /// with it (RFC 9449 section 7.1): [`SignedIn::dpop_proof`](crate::SignedIn::dpop_proof).
    #[must_use]
    pub fn authorization(&self) -> String {
        let scheme = if self.is_bound() { "DPoP" } else { "Bearer" };
        format!("{scheme} {}", self.token.expose())
    }

    /// Whether it is bound to a key of the session, and works with a proof alone (RFC 9449).
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.binding.is_some()
    }

    /// The API that it is for (RFC 8707). `None` for the provider's own, and for an organization's.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The organization that it is for.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// The granted scopes, where the provider names them (RFC 6749 section 5.1).
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// When it expires, where the provider says so.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// The claims of a token that is a JWT (RFC 9068). `None` for an opaque one.
    ///
    /// Nobody has verified them, and they are the API's to read: good for showing what the provider granted, never for
    /// deciding.
    #[must_use]
    pub fn unverified_claims(&self) -> Option<Map<String, Value>> {
        jws::claims(self.token.expose()).ok()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("resource", &self.resource)
            .field("organization", &self.organization)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
