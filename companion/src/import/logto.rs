//! Logto's users: as its Management API gives them (`GET /api/users?includePasswordHash=true`), and as rows of its
//! table `users`. What Keyback has no place for (roles, custom data, social identities) is left behind.

use serde_json::{Map, Value};

use super::record::{Draft, Record, Rules};
use crate::logto_account::{PROFILE, part_of_address, with_plus};
use crate::profile::Field;

/// Members by which a user of Logto is known, in both spellings.
const MARKS: [&str; 8] = [
    "primaryEmail",
    "primaryPhone",
    "customData",
    "isSuspended",
    "primary_email",
    "primary_phone",
    "custom_data",
    "is_suspended",
];

pub(super) fn is_user(members: &Map<String, Value>) -> bool {
    MARKS.iter().any(|mark| members.contains_key(*mark))
}

pub(super) fn read(members: &Map<String, Value>, rules: Rules) -> Result<Record, Vec<String>> {
    let member = |of_api: &str, of_table: &str| members.get(of_api).or_else(|| members.get(of_table));
    let mut draft = Draft::new(rules);
    draft.id(members.get("id"));
    draft.username(members.get("username"));
    draft.name(members.get("name"));
    // Logto keeps no address that it has not verified.
    let verified = Value::Bool(true);
    draft.email(member("primaryEmail", "primary_email"), Some(&verified));
    let phone = member("primaryPhone", "primary_phone").map(number_with_plus);
    draft.phone(phone.as_ref(), Some(&verified));
    draft.disabled("isSuspended", member("isSuspended", "is_suspended"));
    draft.times(
        member("createdAt", "created_at"),
        member("updatedAt", "updated_at"),
    );
    let hash = member("passwordDigest", "password_encrypted");
    let algorithm = member("passwordAlgorithm", "password_encryption_method");
    draft.password(
        hash.or_else(|| members.get("passwordEncrypted")),
        algorithm.or_else(|| members.get("passwordEncryptionMethod")),
    );
    if let Some(avatar) = members.get("avatar") {
        draft.field(Field::Picture, avatar);
    }
    match members.get("profile") {
        None | Some(Value::Null) => {}
        Some(Value::Object(profile)) => {
            for (name, field) in PROFILE {
                if let Some(value) = profile.get(name) {
                    draft.field(field, value);
                }
            }
            if let Some(address) = profile.get("address") {
                draft.address(address, part_of_address);
            }
        }
        Some(_) => draft.problems.push("profile: this is an object".to_owned()),
    }
    draft.finish()
}

fn number_with_plus(phone: &Value) -> Value {
    phone
        .as_str()
        .map_or_else(|| phone.clone(), |text| Value::String(with_plus(text)))
}
