//! Who a person is, as calls of the Management API say it: what is absent is left alone, `null` or an empty text takes
//! a value away.

use axum::http::StatusCode;
use keyback_core::identifier::Identifier;
use keyback_core::phone::Region;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::given;
use super::error::ApiError;
use crate::logto_account::{PROFILE, part_of_address, with_plus};
use crate::profile::{self, Field, Profile, Unfit};
use crate::store::Transaction;
use crate::store::users::{self, User};

/// The members of a call.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Details {
    #[serde(deserialize_with = "given")]
    username: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    primary_email: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    primary_phone: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    avatar: Option<Option<String>>,
    /// Takes the place of the whole profile, as in Logto.
    profile: Option<Map<String, Value>>,
    custom_data: Option<Map<String, Value>>,
}

/// Who a person is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) name: Option<String>,
    pub(super) profile: Profile,
}

impl Person {
    pub(super) fn of(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            phone: user.phone.clone(),
            name: user.name.clone(),
            profile: Profile::from_stored(&user.profile),
        }
    }

    /// The person with what a call says. Everything is checked before anything is written.
    pub(super) fn with(mut self, details: Details, region: Option<Region>) -> Result<Self, ApiError> {
        if let Some(username) = details.username {
            self.username = value(username.as_deref(), |text| {
                profile::username(text, region).map_err(unfit)
            })?;
        }
        if let Some(email) = details.primary_email {
            self.email = value(email.as_deref(), |text| match Identifier::parse(text) {
                Ok(address @ Identifier::Email(_)) => Ok(address.as_str().to_owned()),
                _ => Err(ApiError::invalid_input(
                    "primaryEmail is an e-mail address such as ada@example.com.",
                )),
            })?;
        }
        if let Some(phone) = details.primary_phone {
            self.phone = value(phone.as_deref(), |text| {
                match Identifier::parse(&with_plus(text)) {
                    Ok(number @ Identifier::Phone(_)) => Ok(number.as_str().to_owned()),
                    _ => Err(ApiError::invalid_input(
                        "primaryPhone is a number with its country code, such as 14155550123.",
                    )),
                }
            })?;
        }
        if let Some(name) = details.name {
            self.name = value(name.as_deref(), |text| profile::full_name(text).map_err(unfit))?;
        }
        if let Some(members) = &details.profile {
            self.profile = read_profile(members, &self.profile)?;
        }
        if let Some(avatar) = details.avatar {
            let text = avatar.unwrap_or_default();
            self.profile.set(Field::Picture, &text).map_err(unfit)?;
        }
        if details.custom_data.is_some_and(|data| !data.is_empty()) {
            return Err(ApiError::invalid_input(
                "customData is not kept here: leave it out, or send it empty.",
            ));
        }
        if self.username.is_none() && self.email.is_none() && self.phone.is_none() {
            return Err(ApiError::invalid_input(
                "An account has a primaryEmail, a primaryPhone or a username: nobody could sign in without.",
            ));
        }
        Ok(self)
    }

    /// Whether nobody but the account `id` has these names, in the transaction that writes them.
    pub(super) async fn check_free(&self, tx: &mut Transaction, id: &str) -> Result<(), ApiError> {
        let addresses = [
            (
                &self.email,
                "user.email_already_in_use",
                "Another account has this e-mail address.",
            ),
            (
                &self.phone,
                "user.phone_already_in_use",
                "Another account has this phone number.",
            ),
        ];
        for (address, code, message) in addresses {
            let identifier = address.as_deref().map(Identifier::from_normal_form);
            let Some(Ok(identifier)) = identifier else {
                continue;
            };
            let found = users::find_by_identifier(&mut **tx, &identifier).await?;
            if found.is_some_and(|other| other.id != id) {
                return Err(taken(code, message));
            }
        }
        if let Some(username) = &self.username {
            let found = users::find_by_username(&mut **tx, username).await?;
            if found.is_some_and(|other| other.id != id) {
                return Err(taken(
                    "user.username_already_in_use",
                    "Another account has this user name.",
                ));
            }
        }
        Ok(())
    }
}

fn taken(code: &'static str, message: &'static str) -> ApiError {
    ApiError::refused(StatusCode::UNPROCESSABLE_ENTITY, code, message)
}

fn value(
    text: Option<&str>,
    read: impl Fn(&str) -> Result<String, ApiError>,
) -> Result<Option<String>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => read(text).map(Some),
    }
}

fn read_profile(members: &Map<String, Value>, before: &Profile) -> Result<Profile, ApiError> {
    let mut profile = Profile::default();
    // The picture is a member of its own.
    for (field, value) in before.iter().filter(|(field, _)| *field == Field::Picture) {
        profile.set(field, value).map_err(unfit)?;
    }
    let mut set = |field: Field, value: &Value| match value {
        Value::Null => Ok(()),
        Value::String(text) => profile.set(field, text).map_err(unfit),
        _ => Err(ApiError::invalid_input("The members of profile are texts.")),
    };
    for (member, field) in PROFILE {
        if let Some(value) = members.get(member) {
            set(field, value)?;
        }
    }
    match members.get("address") {
        None | Some(Value::Null) => {}
        Some(Value::Object(parts)) => {
            for (part, value) in parts {
                if let Some(field) = Field::of_name(&part_of_address(part)) {
                    set(field, value)?;
                }
            }
        }
        Some(_) => return Err(ApiError::invalid_input("profile.address is an object.")),
    }
    Ok(profile)
}

/// Tells the field and its form, never the text.
fn unfit(unfit: Unfit) -> ApiError {
    let data = serde_json::json!({ "field": unfit.field, "reason": unfit.reason });
    ApiError::invalid_input("A member has not the form that it must have; data tells which.").with_data(data)
}
