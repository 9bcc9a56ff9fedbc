//! One account to be. Its members are named as claims (OIDC Core 5.1); what Logto calls otherwise is `logto`'s.

use chrono::DateTime;
use keyback_core::identifier::Identifier;
use keyback_core::phone::Region;
use keyback_core::time::Timestamp;
use serde_json::{Map, Value};

use super::logto;
use crate::hashing::{HashRefused, ImportedHash};
use crate::profile::{self, Field, Profile};

/// Members that have no field of the profile.
const OWN: [&str; 15] = [
    "id",
    "sub",
    "username",
    "preferred_username",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "name",
    "disabled",
    "created_at",
    "updated_at",
    "password_hash",
    "password_algorithm",
    "address",
];
/// Characters of an id at most.
const MOST_OF_ID: usize = 64;
/// Above it a number of a time counts milliseconds, below it seconds: in seconds it is the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// An account as a file tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// None: it is drawn.
    pub id: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub phone_verified: bool,
    pub name: Option<String>,
    pub profile: Profile,
    pub disabled: bool,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub password_hash: Option<ImportedHash>,
}

/// What the operator decides for all entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The operator vouches for the addresses of which the file doesn't say whether they are verified.
    pub verified: bool,
    /// An account whose hash can't be taken is imported without a password.
    pub drop_hashes: bool,
    /// The country of a phone number without a country code.
    pub default_region: Option<Region>,
}

/// Whether a CSV file may have a column.
pub(super) fn is_column(name: &str) -> bool {
    (OWN.contains(&name) && name != "address") || Field::of_name(name).is_some()
}

impl Record {
    /// Reads the members of an entry, or tells everything that is wrong with them.
    pub fn read(members: &Map<String, Value>, rules: Rules) -> Result<Self, Vec<String>> {
        if logto::is_user(members) {
            logto::read(members, rules)
        } else {
            of_claims(members, rules)
        }
    }
}

fn of_claims(members: &Map<String, Value>, rules: Rules) -> Result<Record, Vec<String>> {
    let mut draft = Draft::new(rules);
    for (name, value) in members {
        match name.as_str() {
            "address" => draft.address(value, |name| format!("address.{name}")),
            "password" => draft
                .problems
                .push("password: passwords are imported as hashes alone, in password_hash".to_owned()),
            own if OWN.contains(&own) => {}
            other => match Field::of_name(other) {
                Some(field) => draft.field(field, value),
                None => draft.unknown(other),
            },
        }
    }
    draft.id(members.get("id").or_else(|| members.get("sub")));
    draft.username(
        members
            .get("username")
            .or_else(|| members.get("preferred_username")),
    );
    draft.name(members.get("name"));
    draft.email(members.get("email"), members.get("email_verified"));
    draft.phone(members.get("phone_number"), members.get("phone_number_verified"));
    draft.disabled("disabled", members.get("disabled"));
    draft.times(members.get("created_at"), members.get("updated_at"));
    draft.password(members.get("password_hash"), members.get("password_algorithm"));
    draft.finish()
}

/// A record in the making, and everything that is wrong with it.
pub(super) struct Draft {
    pub(super) record: Record,
    pub(super) problems: Vec<String>,
    rules: Rules,
}

impl Draft {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            record: Record::default(),
            problems: Vec::new(),
            rules,
        }
    }

    pub(super) fn finish(mut self) -> Result<Record, Vec<String>> {
        let record = &self.record;
        if self.problems.is_empty()
            && record.email.is_none()
            && record.phone.is_none()
            && record.username.is_none()
        {
            self.problems
                .push("an account has an e-mail address, a phone number or a user name".to_owned());
        }
        if self.problems.is_empty() {
            Ok(self.record)
        } else {
            Err(self.problems)
        }
    }

    pub(super) fn unknown(&mut self, name: &str) {
        let told: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        self.problems
            .push(format!("{told:?} is no member that an account has"));
    }

    /// A text, or none where there is none: null and the empty text are none.
    fn text<'v>(&mut self, name: &str, value: Option<&'v Value>) -> Option<&'v str> {
        match value {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.problems.push(format!("{name}: this is a text"));
                None
            }
        }
    }

    /// Yes or no, written as JSON or as a word.
    fn flag(&mut self, name: &str, value: Option<&Value>) -> Option<bool> {
        match value {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Some(true),
            Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => Some(false),
            Some(_) => {
                self.problems.push(format!("{name}: this is true or false"));
                None
            }
        }
    }

    /// A time: seconds or milliseconds since 1970, or RFC 3339.
    fn time(&mut self, name: &str, value: Option<&Value>) -> Option<Timestamp> {
        let of_number = |number: i64| {
            if number < MILLISECONDS_FROM {
                number.saturating_mul(1000)
            } else {
                number
            }
        };
        let millis = match value {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => number.as_i64().map(of_number),
            Some(Value::String(text)) => match text.parse() {
                Ok(number) => Some(of_number(number)),
                Err(_) => DateTime::parse_from_rfc3339(text)
                    .ok()
                    .map(|time| time.timestamp_millis()),
            },
            Some(_) => None,
        };
        let time = millis.filter(|millis| *millis >= 0).map(Timestamp::from_millis);
        if time.is_none() {
            self.problems.push(format!(
                "{name}: a time is seconds or milliseconds since 1970, or 2026-01-31T12:00:00Z"
            ));
        }
        time
    }

    pub(super) fn id(&mut self, value: Option<&Value>) {
        let Some(id) = self.text("id", value) else { return };
        let fit = id.len() <= MOST_OF_ID
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if fit {
            self.record.id = Some(id.to_owned());
        } else {
            self.problems
                .push("id: an id has 1 to 64 letters, digits, dots, dashes and underscores".to_owned());
        }
    }

    pub(super) fn username(&mut self, value: Option<&Value>) {
        let Some(text) = self.text("username", value) else {
            return;
        };
        match profile::username(text, self.rules.default_region) {
            Ok(username) => self.record.username = Some(username),
            Err(unfit) => self.problems.push(unfit.to_string()),
        }
    }

    pub(super) fn name(&mut self, value: Option<&Value>) {
        let Some(text) = self.text("name", value) else {
            return;
        };
        match profile::full_name(text) {
            Ok(name) => self.record.name = Some(name),
            Err(unfit) => self.problems.push(unfit.to_string()),
        }
    }

    pub(super) fn email(&mut self, value: Option<&Value>, verified: Option<&Value>) {
        let verified = self
            .flag("email_verified", verified)
            .unwrap_or(self.rules.verified);
        let Some(text) = self.text("email", value) else {
            return;
        };
        match Identifier::parse(text) {
            Ok(identifier @ Identifier::Email(_)) => {
                self.record.email = Some(identifier.as_str().to_owned());
                self.record.email_verified = verified;
            }
            _ => self
                .problems
                .push("email: this is no e-mail address such as ada@example.com".to_owned()),
        }
    }

    pub(super) fn phone(&mut self, value: Option<&Value>, verified: Option<&Value>) {
        let verified = self
            .flag("phone_number_verified", verified)
            .unwrap_or(self.rules.verified);
        let Some(text) = self.text("phone_number", value) else {
            return;
        };
        match Identifier::parse_in(self.rules.default_region, text) {
            Ok(identifier @ Identifier::Phone(_)) => {
                self.record.phone = Some(identifier.as_str().to_owned());
                self.record.phone_verified = verified;
            }
            _ => self
                .problems
                .push("phone_number: this is no phone number such as +14155550123".to_owned()),
        }
    }

    pub(super) fn field(&mut self, field: Field, value: &Value) {
        let Some(text) = self.text(field.name(), Some(value)) else {
            return;
        };
        if let Err(unfit) = self.record.profile.set(field, text) {
            self.problems.push(unfit.to_string());
        }
    }

    /// The parts of `address`, whose names `name_of` makes those of fields.
    pub(super) fn address(&mut self, value: &Value, name_of: impl Fn(&str) -> String) {
        let parts = match value {
            Value::Null => return,
            Value::Object(parts) => parts,
            _ => {
                self.problems
                    .push("address: this is an object, such as {\"country\": \"France\"}".to_owned());
                return;
            }
        };
        for (part, value) in parts {
            let name = name_of(part);
            match Field::of_name(&name) {
                Some(field) => self.field(field, value),
                None => self.unknown(&name),
            }
        }
    }

    pub(super) fn disabled(&mut self, name: &str, value: Option<&Value>) {
        self.record.disabled = self.flag(name, value).unwrap_or(false);
    }

    pub(super) fn times(&mut self, created: Option<&Value>, updated: Option<&Value>) {
        self.record.created_at = self.time("created_at", created);
        self.record.updated_at = self.time("updated_at", updated);
    }

    pub(super) fn password(&mut self, hash: Option<&Value>, algorithm: Option<&Value>) {
        let algorithm = self.text("password_algorithm", algorithm);
        let Some(text) = self.text("password_hash", hash) else {
            return;
        };
        match ImportedHash::read(algorithm, text) {
            Ok(hash) => self.record.password_hash = Some(hash),
            Err(_) if self.rules.drop_hashes => {}
            Err(refused @ (HashRefused::Fast | HashRefused::Unknown)) => {
                self.problems
                    .push(format!("password_hash: {refused} (--drop-hashes)"));
            }
            Err(refused) => self.problems.push(format!("password_hash: {refused}")),
        }
    }
}
