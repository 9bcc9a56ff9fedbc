//! What each kind of job carries.

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Send a one-time code, if there is somebody to send it to.
    SendCode,
    /// Tell the owner that the password was changed.
    PasswordChanged,
    /// Tell the owner that an address was changed or removed.
    AddressChanged,
    /// Tell an app that a session has ended (OIDC Back-Channel Logout).
    Logout,
    /// Tell a webhook what happened to an account.
    Webhook,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SendCode,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::Logout,
        Self::Webhook,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendCode => "send-code",
            Self::PasswordChanged => "password-changed",
            Self::AddressChanged => "address-changed",
            Self::Logout => "logout",
            Self::Webhook => "webhook",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The payload of [`JobKind::SendCode`].
#[derive(Deserialize, Serialize)]
pub struct SendCode {
    pub challenge_id: String,
    pub identifier: Identifier,
    pub code: Zeroizing<String>,
    pub client_id: Option<String>,
    pub expires_at: Timestamp,
    /// What the link beside the code carries, where the mail has one: drawn once, so that every try sends the same message.
    #[serde(default)]
    pub link: Option<Zeroizing<String>>,
    /// What it is for. Jobs of before have none: they are of resets.
    #[serde(default)]
    pub purpose: CodePurpose,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CodePurpose {
    /// To choose a new password.
    #[default]
    Reset,
    /// To prove again, at an app, who one is.
    Confirm,
    /// For a page of an app's own.
    App,
}

/// The payload of [`JobKind::PasswordChanged`]: one address.
#[derive(Deserialize, Serialize)]
pub struct PasswordChanged {
    pub to: Identifier,
    pub user_id: String,
    pub client_id: Option<String>,
    pub changed_at: Timestamp,
    pub by: ChangedBy,
    pub sessions_ended: u32,
    /// What the link of the notice carries: see [`keyback_core::secret::FreezeToken`]. Jobs that wait since before an
    /// upgrade have none: they must be delivered all the same.
    #[serde(default)]
    pub freeze_token: Option<Zeroizing<String>>,
}

/// The payload of [`JobKind::AddressChanged`]: one address that was verified before the change, or one that is trusted no
/// more.
#[derive(Deserialize, Serialize)]
pub struct AddressChanged {
    pub to: Identifier,
    pub user_id: String,
    pub changed_at: Timestamp,
    /// Whether the e-mail address was changed or removed.
    pub email: bool,
    /// Whether the phone number was.
    pub phone: bool,
    /// As in [`PasswordChanged`]; none for an address that is trusted no more.
    #[serde(default)]
    pub freeze_token: Option<Zeroizing<String>>,
}

/// The payload of [`JobKind::Logout`]: one app, and one session that it took part in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LogoutNotice {
    pub client_id: String,
    pub user_id: String,
    /// `sid` of the app's ID tokens.
    pub session_id: String,
    pub ended_at: Timestamp,
}

/// The payload of [`JobKind::Webhook`]: one event for one webhook. The body is written once, so that every try has the
/// same bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct WebhookDelivery {
    pub hook_id: String,
    pub user_id: String,
    pub event: String,
    pub body: String,
    pub created_at: Timestamp,
}

/// How a password was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangedBy {
    /// By a reset.
    Reset,
    /// On the account page, with the current password.
    Change,
}
