//! A verified access token.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::rules::time;

/// What the audience of Logto's organization tokens begins with; the organization's id follows.
pub(super) const ORGANIZATION: &str = "urn:logto:organization:";

/// An access token for this API. It exists only if every check has passed. Cheap to clone.
#[derive(Clone)]
pub struct AccessToken {
    claims: Arc<Map<String, Value>>,
    subject: Arc<str>,
    client_id: Arc<str>,
}

impl AccessToken {
    /// `None` without subject or client.
    pub(super) fn new(claims: Map<String, Value>) -> Option<Self> {
        let subject = claims.get("sub")?.as_str()?.into();
        let client_id = claims.get("client_id")?.as_str()?.into();
        Some(Self {
            claims: Arc::new(claims),
            subject,
            client_id,
        })
    }

    /// `sub`: for whom the request is made: a person, or an app for itself ([`is_apps_own`](Self::is_apps_own)).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `client_id`: which app makes the request.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the app makes the request for itself, without any person (client credentials): Logto and Keyback name the
    /// app as subject then.
    #[must_use]
    pub fn is_apps_own(&self) -> bool {
        self.subject == self.client_id
    }

    /// `scope`: what the request may do.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.text("scope")
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
    }

    /// Whether the token has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|own| own == scope)
    }

    /// The organization that the token is for: that of its audience, or of Logto's claim `organization_id`.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        let audience = match self.get("aud") {
            Some(Value::Array(audiences)) => audiences.first().and_then(Value::as_str),
            Some(audience) => audience.as_str(),
            None => None,
        };
        let of_audience = audience.and_then(|audience| audience.strip_prefix(ORGANIZATION));
        of_audience.or_else(|| self.text("organization_id"))
    }

    /// `jti`: the token's own id, for the log.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// `iat`: when it was issued.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        time(&self.claims, "iat").ok().flatten()
    }

    /// `exp`: when it expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        time(&self.claims, "exp").ok().flatten()
    }

    /// Any other claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

/// Names without values: claims are personal data, and logs are read by many.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken ")?;
        f.debug_set().entries(self.claims.keys()).finish()
    }
}
