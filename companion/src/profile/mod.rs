//! Who a person is beyond the addresses: the further standard claims (OIDC Core 5.1), each in the form the
//! specification gives it. What is no such form is refused when it is written, so that no relying party reads it.

mod birthdate;
mod field;
mod locale;
mod names;
mod text;
mod web_address;
mod zoneinfo;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use field::Field;
pub use names::{full_name, username};

/// The claim whose value is an object (OIDC Core 5.1.1).
const ADDRESS: &str = "address";

/// Why a text can't be a field's value. Tells what the field holds; never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Unfit {
    /// The field, as its claim is called.
    pub field: &'static str,
    /// What it must be.
    pub reason: &'static str,
}

/// The further standard claims of a person: those that have a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile(BTreeMap<Field, String>);

impl Profile {
    /// Gives a field a value; an empty text takes the value away.
    pub fn set(&mut self, field: Field, text: &str) -> Result<(), Unfit> {
        if text.is_empty() {
            self.0.remove(&field);
        } else {
            let value = field.read(text).map_err(|reason| Unfit {
                field: field.name(),
                reason,
            })?;
            self.0.insert(field, value);
        }
        Ok(())
    }

    /// The fields that have a value, in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, value)| (*field, value.as_str()))
    }

    /// The claims, the parts of the address under `address`.
    pub fn to_claims(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut address = Map::new();
        for (field, value) in self.iter() {
            let into = if field.is_of_address() {
                &mut address
            } else {
                &mut claims
            };
            into.insert(field.claim().to_owned(), Value::String(value.to_owned()));
        }
        if !address.is_empty() {
            claims.insert(ADDRESS.to_owned(), Value::Object(address));
        }
        claims
    }

    /// What rests in the account's row.
    pub fn to_stored(&self) -> String {
        Value::Object(self.to_claims()).to_string()
    }

    /// Reads what rests in the account's row. An account is usable without its further claims: damage there keeps
    /// nobody out, and what is no value of a field is not passed on.
    pub fn from_stored(json: &str) -> Self {
        let claims: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let mut profile = Self::default();
        for field in Field::ALL {
            let holder = if field.is_of_address() {
                claims.get(ADDRESS).and_then(Value::as_object)
            } else {
                Some(&claims)
            };
            let text = holder
                .and_then(|holder| holder.get(field.claim()))
                .and_then(Value::as_str);
            if let Some(text) = text
                && let Ok(value) = field.read(text)
            {
                profile.0.insert(field, value);
            }
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn oidc_core_5_1_every_further_standard_claim_can_be_kept() {
        let mut profile = Profile::default();
        for (field, text) in [
            (Field::GivenName, "Ada"),
            (Field::FamilyName, "Lovelace"),
            (Field::MiddleName, "King"),
            (Field::Nickname, "Countess"),
            (Field::Profile, "https://example.com/ada"),
            (Field::Picture, "https://example.com/ada.jpg"),
            (Field::Website, "http://ada.example"),
            (Field::Gender, "female"),
            (Field::Birthdate, "1815-12-10"),
            (Field::Zoneinfo, "Europe/London"),
            (Field::Locale, "en-GB"),
            (Field::Formatted, "12 St James's Square\nLondon"),
            (Field::StreetAddress, "12 St James's Square"),
            (Field::Locality, "London"),
            (Field::Region, "Greater London"),
            (Field::PostalCode, "SW1Y 4JH"),
            (Field::Country, "United Kingdom"),
        ] {
            profile.set(field, text).unwrap();
        }
        assert_eq!(profile.iter().count(), Field::ALL.len());
        let claims = Value::Object(profile.to_claims());
        let expected = json!({
            "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King", "nickname": "Countess",
            "profile": "https://example.com/ada", "picture": "https://example.com/ada.jpg",
            "website": "http://ada.example/", "gender": "female", "birthdate": "1815-12-10",
            "zoneinfo": "Europe/London", "locale": "en-GB",
            "address": {
                "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
                "locality": "London", "region": "Greater London", "postal_code": "SW1Y 4JH",
                "country": "United Kingdom",
            },
        });
        assert_eq!(claims, expected);
        assert_eq!(Profile::from_stored(&profile.to_stored()), profile);
    }

    #[test]
    fn an_empty_text_takes_a_value_away() {
        let mut profile = Profile::default();
        profile.set(Field::Nickname, "Countess").unwrap();
        profile.set(Field::Nickname, "").unwrap();
        assert_eq!(profile, Profile::default());
        assert_eq!(profile.to_stored(), "{}");
    }

    #[test]
    fn damage_at_rest_costs_the_damaged_claim_alone() {
        let stored =
            r#"{"nickname":"Countess","birthdate":"soon","shoe_size":43,"locale":7,"address":"here"}"#;
        let read = Profile::from_stored(stored);
        assert_eq!(read.iter().collect::<Vec<_>>(), [(Field::Nickname, "Countess")]);
        assert_eq!(Profile::from_stored("not json"), Profile::default());
    }
}
