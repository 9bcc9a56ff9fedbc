//! What is known about the person (OpenID Connect Core sections 2 and 5.1).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::jws;

/// A number of seconds beyond this (the year 5138) is milliseconds: Logto writes `updated_at` and `created_at` so.
const SECONDS_END: f64 = 1e11;
/// The last time that is believed, in milliseconds: the year 33658. Beyond it, adding tolerances might overflow.
const LATEST: f64 = 1e15;

/// Verified claims about the person who signed in, of the ID token or of the userinfo endpoint.
///
/// Only [`subject`](Self::subject), together with the issuer, names the person for ever; an e-mail address may
/// change hands. Absent claims and those that are `null` are `None`.
#[derive(Clone, PartialEq)]
pub struct Claims {
    subject: String,
    members: Map<String, Value>,
}

impl Claims {
    /// `None` without a subject.
    pub(crate) fn new(members: Map<String, Value>) -> Option<Self> {
        let subject = members.get("sub")?.as_str()?.to_owned();
        Some(Self { subject, members })
    }

    /// The payload of a JWT that somebody has verified before.
    pub(crate) fn of_jwt(raw: &str) -> Option<Self> {
        Self::new(jws::claims(raw).ok()?)
    }

    /// With the text `value` for `name`, where there is none.
    pub(crate) fn or_text(mut self, name: &str, value: Option<&str>) -> Self {
        if self.get(name).is_none()
            && let Some(value) = value
        {
            self.members.insert(name.to_owned(), Value::from(value));
        }
        self
    }

    /// These, in a session that began with `earlier`: an ID token of a refresh may leave out by what the session is known.
    pub(crate) fn going_on(self, earlier: &Self) -> Self {
        self.or_text("sid", earlier.session_id())
            .or_text("nonce", earlier.text("nonce"))
    }

    /// `sub`: the provider's name for the person, never given to anybody else.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `name`: the full name, for display.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// `preferred_username`, or Logto's `username`. It need not be unique.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.text("preferred_username").or_else(|| self.text("username"))
    }

    /// `email`, verified or not.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.text("email")
    }

    /// `email_verified`: whether the provider has seen that the person reads mail at this address. An absent claim is
    /// `false`.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.flag("email_verified")
    }

    /// `phone_number`, verified or not.
    #[must_use]
    pub fn phone_number(&self) -> Option<&str> {
        self.text("phone_number")
    }

    /// `phone_number_verified`. An absent claim is `false`.
    #[must_use]
    pub fn phone_number_verified(&self) -> bool {
        self.flag("phone_number_verified")
    }

    /// `picture`: the address of a portrait.
    #[must_use]
    pub fn picture(&self) -> Option<&str> {
        self.text("picture")
    }

    /// `locale`: the person's language, as a BCP 47 tag.
    #[must_use]
    pub fn locale(&self) -> Option<&str> {
        self.text("locale")
    }

    /// `updated_at`: when the claims last changed, in seconds or, as Logto writes it, in milliseconds.
    #[must_use]
    pub fn updated_at(&self) -> Option<SystemTime> {
        self.time("updated_at")
    }

    /// `auth_time`: when the person signed in at the provider.
    #[must_use]
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.time("auth_time")
    }

    /// `iat`: when the ID token was issued.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.time("iat")
    }

    /// `exp`: when the ID token expires. It limits the acceptance of the token, not the application's session.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.time("exp")
    }

    /// `sid`: the session at the provider, by which a back-channel logout names it.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.text("sid")
    }

    /// `acr`: the authentication context class.
    #[must_use]
    pub fn authentication_context(&self) -> Option<&str> {
        self.text("acr")
    }

    /// `amr`: the methods by which the person proved who they are, such as `pwd` and `otp`.
    #[must_use]
    pub fn authentication_methods(&self) -> Vec<&str> {
        self.texts("amr")
    }

    /// Any other claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            _ => self.texts("aud"),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Option<SystemTime> {
        let number = self.get(name)?.as_f64()?;
        let milliseconds = if number > SECONDS_END {
            number
        } else {
            number * 1000.0
        };
        if !(0.0..=LATEST).contains(&milliseconds) {
            return None;
        }
        // In whole milliseconds, since fractions of seconds are the noise of binary numbers.
        UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds.round() as u64))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Names without values: claims are personal data, and logs are read by many.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims ")?;
        f.debug_set().entries(self.members.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        let Value::Object(members) = value else {
            panic!("an object is needed")
        };
        Claims::new(members).expect("a subject is there")
    }

    /// Logto's `updated_at` is in milliseconds, everybody else's in seconds.
    #[test]
    fn milliseconds_are_told_from_seconds() {
        let expected = Some(UNIX_EPOCH + Duration::from_secs(1_790_000_000));
        assert_eq!(
            claims(json!({"sub": "a", "updated_at": 1_790_000_000_u64})).updated_at(),
            expected
        );
        assert_eq!(
            claims(json!({"sub": "a", "updated_at": 1_790_000_000_000_u64})).updated_at(),
            expected
        );
        assert_eq!(
            claims(json!({"sub": "a", "updated_at": "yesterday"})).updated_at(),
            None
        );
        assert_eq!(claims(json!({"sub": "a", "updated_at": -1})).updated_at(), None);
    }

    #[test]
    fn null_is_absent() {
        let claims = claims(json!({"sub": "a", "picture": null, "email": "ada@example.com"}));
        assert_eq!(claims.picture(), None);
        assert_eq!(claims.get("picture"), None);
        assert_eq!(claims.email(), Some("ada@example.com"));
        assert!(!claims.email_verified());
    }

    #[test]
    fn values_are_not_printed() {
        let printed = format!(
            "{:?}",
            claims(json!({"sub": "a1b2c3", "email": "ada@example.com"}))
        );
        assert!(printed.contains("email") && !printed.contains("ada") && !printed.contains("a1b2c3"));
    }
}
