//! The `claims` parameter (OIDC Core 5.5): claims asked for by name, for the ID token or for userinfo.
//!
//! What this provider doesn't know is ignored, as the specification asks; so what is kept is bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::acr;
use super::super::scope::Scopes;
use super::{KNOWN, Place};
use crate::store::StoreError;

/// Bytes of the parameter at most: some hundred claims.
const MOST_BYTES: usize = 4 * 1024;

/// The claims asked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ClaimsRequest {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    userinfo: BTreeMap<String, Wanted>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    id_token: BTreeMap<String, Wanted>,
}

/// How a claim is asked for (OIDC Core 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
struct Wanted {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    essential: bool,
    /// The values that will do; none is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<Value>,
}

/// Why a `claims` parameter can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than any honest one.
    #[error("The claims parameter is longer than 4 KiB.")]
    TooLong,
    /// The whole, or a member of it, has another form.
    #[error(
        "The claims parameter is a JSON object; its members userinfo and id_token are objects of claims."
    )]
    Shape,
    /// A claim is asked for in another form.
    #[error(
        "A claim is asked for by null, or by an object with essential (true or false), value, or values (a list)."
    )]
    Claim,
    /// `sub` with a value that is nobody's.
    #[error("The value of the claim sub is a text.")]
    Subject,
}

impl ClaimsRequest {
    /// Reads the parameter.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MOST_BYTES {
            return Err(Malformed::TooLong);
        }
        let all: Map<String, Value> = serde_json::from_str(text).map_err(|_| Malformed::Shape)?;
        let request = Self {
            userinfo: read_member(&all, "userinfo")?,
            id_token: read_member(&all, "id_token")?,
        };
        if request.subjects().any(|subject| !subject.is_string()) {
            return Err(Malformed::Subject);
        }
        Ok(request)
    }

    /// Whether nothing that is known is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The scopes that the claims amount to: who consents to the claims consents to these, or the other way round.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let asked = |name: &str| self.userinfo.contains_key(name) || self.id_token.contains_key(name);
        let scopes = KNOWN
            .iter()
            .filter(|(name, _)| asked(name))
            .filter_map(|(_, scope)| *scope);
        Scopes::from(scopes.collect::<Vec<_>>().join(" "))
    }

    /// Whether a person may answer: `sub` with a value asks for that person alone (OIDC Core 5.5.1).
    pub fn allows_subject(&self, user_id: &str) -> bool {
        [&self.userinfo, &self.id_token]
            .into_iter()
            .filter_map(|claims| claims.get("sub"))
            .all(|wanted| wanted.accepts(&user_id.into()))
    }

    /// Whether an `acr` that must be met can be (OIDC Core 5.5.1.1). A voluntary one always is.
    pub(in crate::oidc) fn acr_can_be_met(&self) -> bool {
        [&self.userinfo, &self.id_token]
            .into_iter()
            .filter_map(|claims| claims.get("acr"))
            .filter(|wanted| wanted.essential)
            .all(|wanted| acr::SUPPORTED.into_iter().any(|acr| wanted.accepts(&acr.into())))
    }

    /// Whether a claim is asked for at a place.
    pub(super) fn names(&self, place: Place, name: &str) -> bool {
        self.at(place).contains_key(name)
    }

    /// Whether a claim is asked for at a place, and with this value. A claim whose value is another is left out.
    pub(super) fn accepts(&self, place: Place, name: &str, value: &Value) -> bool {
        self.at(place)
            .get(name)
            .is_some_and(|wanted| wanted.accepts(value))
    }

    /// What rests with the grant.
    pub fn to_stored(&self) -> Result<Option<String>, serde_json::Error> {
        if self.is_empty() {
            Ok(None)
        } else {
            serde_json::to_string(self).map(Some)
        }
    }

    /// Reads what rests with the grant.
    pub fn from_stored(stored: Option<&str>) -> Result<Self, StoreError> {
        let Some(json) = stored else {
            return Ok(Self::default());
        };
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt {
            table: "grants",
            reason: error.to_string(),
        })
    }

    fn at(&self, place: Place) -> &BTreeMap<String, Wanted> {
        match place {
            Place::IdToken => &self.id_token,
            Place::Userinfo => &self.userinfo,
        }
    }

    fn subjects(&self) -> impl Iterator<Item = &Value> {
        [&self.userinfo, &self.id_token]
            .into_iter()
            .filter_map(|claims| claims.get("sub"))
            .flat_map(|wanted| &wanted.values)
    }
}

impl Wanted {
    fn accepts(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }

    fn read(asked: &Value) -> Result<Self, Malformed> {
        let asked = match asked {
            Value::Null => return Ok(Self::default()),
            Value::Object(asked) => asked,
            _ => return Err(Malformed::Claim),
        };
        let essential = match asked.get("essential") {
            None => false,
            Some(Value::Bool(essential)) => *essential,
            Some(_) => return Err(Malformed::Claim),
        };
        let mut values: Vec<Value> = asked.get("value").into_iter().cloned().collect();
        match asked.get("values") {
            None => {}
            Some(Value::Array(more)) if !more.is_empty() => values.extend(more.iter().cloned()),
            Some(_) => return Err(Malformed::Claim),
        }
        Ok(Self { essential, values })
    }
}

fn read_member(all: &Map<String, Value>, member: &str) -> Result<BTreeMap<String, Wanted>, Malformed> {
    let claims = match all.get(member) {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err(Malformed::Shape),
    };
    let mut kept = BTreeMap::new();
    for (name, asked) in claims {
        let wanted = Wanted::read(asked)?;
        if KNOWN.iter().any(|(known, _)| known == name) {
            kept.insert(name.clone(), wanted);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_5_the_parameter_is_read_and_what_is_not_known_is_ignored() {
        let text = r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,"http://example.info/claims/groups":null},
            "id_token":{"auth_time":{"essential":true},"acr":{"values":["0","urn:x"]}},"other":5}"#;
        let request = ClaimsRequest::parse(text).unwrap();
        assert!(request.names(Place::Userinfo, "given_name") && request.names(Place::Userinfo, "nickname"));
        assert!(!request.names(Place::Userinfo, "http://example.info/claims/groups"));
        assert!(!request.names(Place::IdToken, "nickname"));
        let stored = request.to_stored().unwrap();
        assert_eq!(ClaimsRequest::from_stored(stored.as_deref()).unwrap(), request);
        for nothing in ["{}", r#"{"userinfo":{}}"#, r#"{"id_token":{"shoe_size":null}}"#] {
            assert_eq!(ClaimsRequest::parse(nothing).unwrap().to_stored().unwrap(), None);
        }
    }

    #[test]
    fn oidc_core_5_5_another_form_is_refused() {
        for (text, expected) in [
            ("", Malformed::Shape),
            ("null", Malformed::Shape),
            ("[]", Malformed::Shape),
            ("{", Malformed::Shape),
            (r#"{"userinfo":null}"#, Malformed::Shape),
            (r#"{"id_token":["name"]}"#, Malformed::Shape),
            (r#"{"userinfo":{"name":true}}"#, Malformed::Claim),
            (r#"{"userinfo":{"name":"Ada"}}"#, Malformed::Claim),
            (r#"{"userinfo":{"name":{"essential":"yes"}}}"#, Malformed::Claim),
            (r#"{"userinfo":{"name":{"values":"Ada"}}}"#, Malformed::Claim),
            (r#"{"userinfo":{"name":{"values":[]}}}"#, Malformed::Claim),
            (r#"{"id_token":{"sub":{"value":7}}}"#, Malformed::Subject),
        ] {
            assert_eq!(ClaimsRequest::parse(text), Err(expected), "{text}");
        }
        let long = format!(r#"{{"userinfo":{{"{}":null}}}}"#, "x".repeat(MOST_BYTES));
        assert_eq!(ClaimsRequest::parse(&long), Err(Malformed::TooLong));
        let deep = format!(r#"{{"userinfo":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert_eq!(ClaimsRequest::parse(&deep), Err(Malformed::Shape));
    }

    #[test]
    fn oidc_core_5_5_1_sub_with_a_value_is_that_person_alone() {
        let allows = |text: &str, id: &str| ClaimsRequest::parse(text).unwrap().allows_subject(id);
        assert!(allows("{}", "ada"));
        assert!(allows(r#"{"id_token":{"sub":null}}"#, "ada"));
        assert!(allows(r#"{"id_token":{"sub":{"value":"ada"}}}"#, "ada"));
        assert!(!allows(r#"{"id_token":{"sub":{"value":"ada"}}}"#, "bea"));
        assert!(!allows(r#"{"userinfo":{"sub":{"value":"ada"}}}"#, "bea"));
        assert!(allows(r#"{"id_token":{"sub":{"values":["ada","bea"]}}}"#, "bea"));
    }

    #[test]
    fn oidc_core_5_5_1_1_an_essential_acr_must_be_within_reach() {
        let met = |text: &str| ClaimsRequest::parse(text).unwrap().acr_can_be_met();
        assert!(met("{}"));
        assert!(met(r#"{"id_token":{"acr":{"essential":true}}}"#));
        assert!(met(
            r#"{"id_token":{"acr":{"essential":true,"values":["1","0"]}}}"#
        ));
        assert!(met(r#"{"id_token":{"acr":{"values":["1"]}}}"#), "voluntary");
        assert!(!met(r#"{"id_token":{"acr":{"essential":true,"value":"1"}}}"#));
    }

    #[test]
    fn oidc_core_5_4_and_5_5_claims_amount_to_scopes() {
        let request = ClaimsRequest::parse(
            r#"{"userinfo":{"email":null,"address":null,"sub":null},"id_token":{"birthdate":null,"name":null}}"#,
        );
        assert_eq!(request.unwrap().scopes().to_string(), "profile email address");
        assert!(ClaimsRequest::default().scopes().is_empty());
    }
}
