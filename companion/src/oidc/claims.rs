//! The standard claims of a person (OIDC Core 5.1) by the scopes that ask for them (5.4).

use serde_json::{Map, Value};

use super::scope::{ADDRESS, EMAIL, PHONE, PROFILE, Scopes};
use crate::store::users::User;

/// Claims of `profile` that rest in the account's JSON of further claims.
const FURTHER_PROFILE: [&str; 10] = [
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
];
const LOCALE: &str = "locale";

/// The claims that discovery names.
pub(super) const SUPPORTED: [&str; 27] = [
    "sub",
    "name",
    "preferred_username",
    "username",
    "updated_at",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "auth_time",
    "acr",
    "amr",
    "nonce",
    "sid",
    "at_hash",
];

/// The claims of a person that `scopes` ask for, without `sub`. A claim without a value is left out.
pub(super) fn of(user: &User, scopes: &Scopes) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            claims.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.clone().map(Value::String);
    // An account is usable without its further claims; damage there must not keep anybody out.
    let further: Map<String, Value> = serde_json::from_str(&user.profile).unwrap_or_default();
    if scopes.contains(PROFILE) {
        put("name", text(&user.name));
        put("preferred_username", text(&user.username));
        // Logto's name for it, which its SDKs read.
        put("username", text(&user.username));
        // Seconds, as OIDC Core 5.1 wants it; Logto sends milliseconds.
        put("updated_at", Some(user.updated_at().as_secs().into()));
        for name in FURTHER_PROFILE.into_iter().chain([LOCALE]) {
            put(name, further.get(name).cloned());
        }
    }
    if scopes.contains(EMAIL) && user.email.is_some() {
        put("email", text(&user.email));
        put("email_verified", Some(user.email_verified.into()));
    }
    if scopes.contains(PHONE) && user.phone.is_some() {
        put("phone_number", text(&user.phone));
        put("phone_number_verified", Some(user.phone_verified.into()));
    }
    if scopes.contains(ADDRESS) {
        put("address", further.get("address").cloned());
    }
    claims
}
