//! An account in Logto's words: as webhooks and the APIs show it, and as imports and the APIs bring it.

use keyback_core::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::profile::{Field, Profile};
use crate::store::users::User;

/// The members of Logto's `profile`, and the fields they are. Its `preferredUsername` is another name beside the user
/// name, which accounts here don't have.
pub(crate) const PROFILE: [(&str, Field); 10] = [
    ("familyName", Field::FamilyName),
    ("givenName", Field::GivenName),
    ("middleName", Field::MiddleName),
    ("nickname", Field::Nickname),
    ("profile", Field::Profile),
    ("website", Field::Website),
    ("gender", Field::Gender),
    ("birthdate", Field::Birthdate),
    ("zoneinfo", Field::Zoneinfo),
    ("locale", Field::Locale),
];

/// The name of the field that a member of `profile.address` is.
pub(crate) fn part_of_address(member: &str) -> String {
    match member {
        "streetAddress" => Field::StreetAddress.name().to_owned(),
        "postalCode" => Field::PostalCode.name().to_owned(),
        other => format!("address.{other}"),
    }
}

/// A phone number as it is written here: Logto keeps the international form without the `+`.
pub(crate) fn with_plus(phone: &str) -> String {
    if phone.starts_with(|c: char| c.is_ascii_digit()) {
        format!("+{phone}")
    } else {
        phone.to_owned()
    }
}

/// The account. What Logto keeps and Keyback does not is there and empty: readers of Logto's expect it. No hash is
/// among it (SR-73).
pub(crate) fn json(user: &User, last_sign_in_at: Option<Timestamp>) -> Map<String, Value> {
    let mut profile = Profile::from_stored(&user.profile).to_claims();
    let avatar = profile.remove("picture");
    let account = json!({
        "id": user.id,
        "username": user.username,
        "primaryEmail": user.email,
        "primaryPhone": user.phone.as_deref().map(|phone| phone.trim_start_matches('+')),
        "name": user.name,
        "avatar": avatar,
        "customData": {},
        "identities": {},
        "lastSignInAt": last_sign_in_at.map(Timestamp::as_millis),
        "createdAt": user.created_at().as_millis(),
        "updatedAt": user.updated_at().as_millis(),
        "profile": camel_case(profile),
        "applicationId": Value::Null,
        "isSuspended": !user.may_sign_in(),
    });
    match account {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Claims have names with underscores, Logto's profile the same names with humps.
fn camel_case(claims: Map<String, Value>) -> Map<String, Value> {
    let humps = |name: &str| {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |mut name, word| {
            let mut letters = word.chars();
            name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
            name + letters.as_str()
        })
    };
    let named = claims.into_iter().map(|(name, value)| {
        let value = match value {
            Value::Object(parts) => Value::Object(camel_case(parts)),
            other => other,
        };
        (humps(&name), value)
    });
    named.collect()
}
