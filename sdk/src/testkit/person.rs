//! Who signs in.

use serde_json::{Map, Value, json};

/// Somebody who signs in at the test provider.
#[derive(Clone, Debug)]
pub struct Person {
    subject: String,
    claims: Map<String, Value>,
}

impl Person {
    /// Somebody of this subject.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            claims: Map::new(),
        }
    }

    /// With a verified e-mail address.
    #[must_use]
    pub fn email(self, address: &str) -> Self {
        self.claim("email", json!(address))
            .claim("email_verified", json!(true))
    }

    /// With any other claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The claims of an ID token or of userinfo, which `own` has in any case.
    pub(super) fn claims(&self, own: Value) -> Value {
        let mut claims = self.claims.clone();
        claims.insert("sub".to_owned(), json!(self.subject));
        if let Value::Object(own) = own {
            claims.extend(own);
        }
        Value::Object(claims)
    }
}
