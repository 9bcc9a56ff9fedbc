//! The checks of the callback, in the order they run. All must pass before its code is used.

mod client;
mod error;
mod expiry;
mod issuer;
mod redirect_uri;
mod response_mode;
mod state;

use std::time::SystemTime;

use super::answer::Answer;
use crate::checks;
use crate::error::CallbackError;
use crate::sign_in::PendingSignIn;

/// What a check looks at: the answer, the request it claims to answer, and who asks when.
pub(crate) struct Inquiry<'a> {
    pub(crate) answer: &'a Answer,
    pub(crate) pending: &'a PendingSignIn,
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) now: SystemTime,
}

pub(crate) type Check = fn(&Inquiry<'_>) -> Result<(), CallbackError>;

/// What the log calls the table.
pub(crate) const TABLE: &str = "callback";

/// `error` comes last: nobody's word is believed before the state has shown that it is the provider's answer to
/// this browser's request.
pub(crate) const CHECKS: [(&str, Check); 7] = [
    ("client", client::check),
    ("redirect_uri", redirect_uri::check),
    ("response_mode", response_mode::check),
    ("state", state::check),
    ("expiry", expiry::check),
    ("issuer", issuer::check),
    ("error", error::check),
];

pub(crate) fn run(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    checks::run(TABLE, CHECKS.map(|(name, check)| (name, move || check(inquiry))))
}
