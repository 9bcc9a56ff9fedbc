//! `first_screen`: the page that a request begins with. Logto drops all its parameters when it doesn't know the
//! value; here an unknown value is an error that names the known ones.

use serde::{Deserialize, Serialize};

use super::super::error::ProtocolError;
use super::Asked;

/// The first page of an interaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstScreen {
    #[default]
    SignIn,
    IdentifierSignIn,
    SingleSignOn,
    /// People don't register here; the sign-in page stands in.
    Register,
    IdentifierRegister,
    ResetPassword,
}

/// The spellings, the reset's first: this list is `first_screen_values_supported` of discovery.
const SPELLINGS: [(&str, FirstScreen); 8] = [
    ("reset-password", FirstScreen::ResetPassword),
    ("reset_password", FirstScreen::ResetPassword),
    ("sign_in", FirstScreen::SignIn),
    ("signIn", FirstScreen::SignIn),
    ("register", FirstScreen::Register),
    ("identifier:sign_in", FirstScreen::IdentifierSignIn),
    ("identifier:register", FirstScreen::IdentifierRegister),
    ("single_sign_on", FirstScreen::SingleSignOn),
];

impl FirstScreen {
    /// Whether the request begins on the reset page.
    pub fn is_reset(self) -> bool {
        self == Self::ResetPassword
    }
}

/// The spellings that are accepted.
pub(in crate::oidc) fn supported() -> [&'static str; SPELLINGS.len()] {
    SPELLINGS.map(|(spelling, _)| spelling)
}

pub(super) fn check(asked: &Asked<'_>) -> Result<FirstScreen, ProtocolError> {
    let Some(text) = asked.params.one("first_screen") else {
        return Ok(FirstScreen::default());
    };
    match SPELLINGS.into_iter().find(|(spelling, _)| *spelling == text) {
        Some((_, screen)) => Ok(screen),
        None => Err(ProtocolError::invalid_request(format!(
            "This first_screen is not known. The values are: {}.",
            supported().join(", ")
        ))),
    }
}
