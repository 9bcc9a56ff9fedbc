//! The events, in the shapes that Logto 1.42 sends.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{WebhookError, printable_word};
use crate::logto::User;

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody has set a new password by the reset pages. The only proof there is that a reset took place.
    PostResetPassword(Visit),
    /// Somebody has signed in.
    PostSignIn(Visit),
    /// Somebody has made an account.
    PostRegister(Visit),
    /// An account was made by an API.
    UserCreated(AccountChange),
    /// An account was changed: its password, by a reset (beside [`PostResetPassword`](Self::PostResetPassword)), on the
    /// account page or by an API, or its data.
    UserDataUpdated(AccountChange),
    /// An account was suspended, or the suspension was lifted: [`User::is_suspended`] tells which.
    UserSuspensionUpdated(AccountChange),
    /// An account was deleted. [`AccountChange::user_id`] tells which.
    UserDeleted(AccountChange),
    /// Any other: [`Delivery::name`](super::Delivery::name) tells which, [`Delivery::get`](super::Delivery::get) what
    /// it holds.
    Other,
}

/// What somebody did on the provider's pages.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Visit {
    /// Who it was.
    pub user: User,
    /// The app that the person came from.
    #[serde(default)]
    pub application: Option<Application>,
    /// The visit it happened in.
    #[serde(default)]
    pub session_id: Option<String>,
    /// The address of the person's browser.
    #[serde(default)]
    pub user_ip: Option<String>,
    /// What the person's browser says it is.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// What was done to an account.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccountChange {
    /// The account after the change. Logto gives none for some changes.
    #[serde(default, rename = "data")]
    pub user: Option<User>,
    /// The app by which it was changed.
    #[serde(default)]
    pub application: Option<Application>,
    /// The address of who changed it.
    #[serde(default)]
    pub ip: Option<String>,
    /// What the program of who changed it says it is.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// What the address of the API named.
    #[serde(default)]
    params: Option<Params>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    #[serde(default)]
    user_id: Option<String>,
}

impl AccountChange {
    /// Whose account it is, as far as the event tells: where the account itself is not given, the id by which an API was
    /// asked for the change.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        let of_params = || self.params.as_ref()?.user_id.as_deref();
        self.user.as_ref().map(|user| user.id.as_str()).or_else(of_params)
    }
}

/// The app that an event belongs to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Application {
    /// Its client id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its type in Logto's words, such as `Traditional`, `SPA` or `Native`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

impl Event {
    /// Reads the event of a body that was verified. One that is known but has not its shape is an error: taking it for
    /// another would let a reset pass unseen.
    pub(super) fn parse(body: &Map<String, Value>) -> Result<Self, WebhookError> {
        let name = body
            .get("event")
            .and_then(Value::as_str)
            .ok_or(WebhookError::NoEvent)?;
        match name {
            "PostResetPassword" => read(name, body).map(Self::PostResetPassword),
            "PostSignIn" => read(name, body).map(Self::PostSignIn),
            "PostRegister" => read(name, body).map(Self::PostRegister),
            "User.Created" => read(name, body).map(Self::UserCreated),
            "User.Data.Updated" => read(name, body).map(Self::UserDataUpdated),
            "User.SuspensionStatus.Updated" => read(name, body).map(Self::UserSuspensionUpdated),
            "User.Deleted" => read(name, body).map(Self::UserDeleted),
            _ => Ok(Self::Other),
        }
    }
}

fn read<'de, T: Deserialize<'de>>(name: &str, body: &'de Map<String, Value>) -> Result<T, WebhookError> {
    T::deserialize(body).map_err(|_| WebhookError::UnknownShape {
        event: printable_word(name),
    })
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("user", &self.user)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange")
            .field("user", &self.user)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}
