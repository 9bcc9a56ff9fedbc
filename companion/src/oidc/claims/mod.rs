//! Which claims of a person an app is given: those of the scopes (OIDC Core 5.4), and those asked for by name (5.5).

mod request;

use keyback_core::time::Timestamp;
use serde_json::{Map, Value};

use super::acr;
use super::scope::{ADDRESS, EMAIL, PHONE, PROFILE, Scopes};
use crate::profile::Profile;
use crate::store::users::User;

pub use request::{ClaimsRequest, Malformed};

/// Every claim that can be asked for, and the scope that asks for it as well. Those without one are about the
/// sign-in, and can be asked for by name alone.
const KNOWN: [(&str, Option<&str>); 25] = [
    ("sub", None),
    ("name", Some(PROFILE)),
    ("family_name", Some(PROFILE)),
    ("given_name", Some(PROFILE)),
    ("middle_name", Some(PROFILE)),
    ("nickname", Some(PROFILE)),
    ("preferred_username", Some(PROFILE)),
    // Logto's name for it, which its SDKs read.
    ("username", Some(PROFILE)),
    ("profile", Some(PROFILE)),
    ("picture", Some(PROFILE)),
    ("website", Some(PROFILE)),
    ("gender", Some(PROFILE)),
    ("birthdate", Some(PROFILE)),
    ("zoneinfo", Some(PROFILE)),
    ("locale", Some(PROFILE)),
    ("updated_at", Some(PROFILE)),
    ("email", Some(EMAIL)),
    ("email_verified", Some(EMAIL)),
    ("phone_number", Some(PHONE)),
    ("phone_number_verified", Some(PHONE)),
    ("address", Some(ADDRESS)),
    ("auth_time", None),
    ("acr", None),
    ("amr", None),
    ("sid", None),
];

/// Claims of every ID token; they are not asked for.
const OF_ID_TOKENS: [&str; 6] = ["iss", "aud", "exp", "iat", "nonce", "at_hash"];

/// The claims that discovery names.
pub(super) fn supported() -> Vec<&'static str> {
    let known = KNOWN.iter().map(|(name, _)| *name);
    known.chain(OF_ID_TOKENS).collect()
}

/// Where claims are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    IdToken,
    Userinfo,
}

/// Whose claims they are: the account, and how the person signed in.
pub(super) struct Person<'a> {
    pub(super) user: &'a User,
    pub(super) session_id: &'a str,
    pub(super) auth_time: Timestamp,
    /// The methods, parted by spaces.
    pub(super) amr: &'a str,
}

/// The claims to give at a place. `sub` always; others where a scope asks for them or the claims parameter does,
/// and only with a value: a claim that a person doesn't have is left out, essential or not (OIDC Core 5.5.1).
pub(super) fn released(
    place: Place,
    scopes: &Scopes,
    asked: &ClaimsRequest,
    person: &Person<'_>,
) -> Map<String, Value> {
    let further = Profile::from_stored(&person.user.profile).to_claims();
    let mut claims = Map::new();
    for (name, scope) in KNOWN {
        let by_scope = name == "sub" || scope.is_some_and(|scope| scopes.contains(scope));
        if !by_scope && !asked.names(place, name) {
            continue;
        }
        if let Some(value) = value_of(name, person, &further)
            && (by_scope || asked.accepts(place, name, &value))
        {
            claims.insert(name.to_owned(), value);
        }
    }
    claims
}

fn value_of(name: &str, person: &Person<'_>, further: &Map<String, Value>) -> Option<Value> {
    let user = person.user;
    let text = |value: &Option<String>| value.clone().map(Value::String);
    match name {
        "sub" => Some(user.id.clone().into()),
        "name" => text(&user.name),
        "preferred_username" | "username" => text(&user.username),
        // Seconds, as OIDC Core 5.1 wants it; Logto sends milliseconds.
        "updated_at" => Some(user.updated_at().as_secs().into()),
        "email" => text(&user.email),
        "email_verified" => user.email.as_ref().map(|_| user.email_verified.into()),
        "phone_number" => text(&user.phone),
        "phone_number_verified" => user.phone.as_ref().map(|_| user.phone_verified.into()),
        "auth_time" => Some(person.auth_time.as_secs().into()),
        "acr" => Some(acr::PASSWORD.into()),
        "amr" => Some(person.amr.split_ascii_whitespace().collect::<Vec<_>>().into()),
        "sid" => Some(person.session_id.into()),
        _ => further.get(name).cloned(),
    }
}

#[cfg(test)]
mod tests;
