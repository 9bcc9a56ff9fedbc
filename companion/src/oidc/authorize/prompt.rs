//! `prompt` (OIDC Core 3.1.2.1): whether the person must be asked, or must not.

use serde::{Deserialize, Serialize};

use super::super::error::ProtocolError;
use super::Asked;

/// The values, as discovery tells them.
pub(in crate::oidc) const SUPPORTED: [&str; 4] = ["none", "login", "consent", "select_account"];

/// What the app wants the person to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Whatever is needed.
    #[default]
    AsNeeded,
    /// `none`: nothing; where something is needed, the app is told so.
    Silent,
    /// `login`: the password, signed in or not. `select_account` too: the sign-in page is where one chooses.
    Login,
    /// `consent`: the person is asked again whether they allow it; apps of one's own have that without a screen.
    Consent,
    /// `login consent`: what Logto's SDKs send for a fresh sign-in.
    LoginAndConsent,
}

impl Prompt {
    /// Whether a session that was there before doesn't answer the request.
    pub fn asks_login(self) -> bool {
        matches!(self, Self::Login | Self::LoginAndConsent)
    }

    /// Whether consent is asked for even where it was given before. Apps of one's own have it in any case.
    pub fn asks_consent(self) -> bool {
        matches!(self, Self::Consent | Self::LoginAndConsent)
    }

    /// Whether no page may be shown.
    pub fn is_silent(self) -> bool {
        self == Self::Silent
    }
}

pub(super) fn check(asked: &Asked<'_>) -> Result<Prompt, ProtocolError> {
    let Some(text) = asked.params.one("prompt") else {
        return Ok(Prompt::AsNeeded);
    };
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    if let Some(_unknown) = words.iter().find(|word| !SUPPORTED.contains(word)) {
        return Err(ProtocolError::invalid_request(format!(
            "This prompt is not known. The values are: {}.",
            SUPPORTED.join(", ")
        )));
    }
    let has = |word: &str| words.contains(&word);
    match (has("none"), has("login") || has("select_account"), has("consent")) {
        (true, false, false) => Ok(Prompt::Silent),
        (true, _, _) => Err(ProtocolError::invalid_request("prompt=none stands alone.")),
        (false, true, true) => Ok(Prompt::LoginAndConsent),
        (false, true, false) => Ok(Prompt::Login),
        (false, false, true) => Ok(Prompt::Consent),
        (false, false, false) => Ok(Prompt::AsNeeded),
    }
}
