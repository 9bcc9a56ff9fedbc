//! How long a guesser would take, estimated by zxcvbn: for the meter of the page, and for the check of common passwords.

use serde::Serialize;
use zxcvbn::zxcvbn;

use super::typed::NewPassword;
use super::user_info::UserFacts;

/// From 0, found at once, to 4, out of reach: zxcvbn's score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Strength(u8);

impl Strength {
    /// Estimates a password; what is known of the user is taken to be known to the guesser.
    pub fn of(password: &NewPassword, facts: &UserFacts) -> Self {
        Self::of_text(password.expose(), &facts.texts())
    }

    /// 0 to 4.
    pub const fn score(self) -> u8 {
        self.0
    }

    pub(super) fn of_text(text: &str, known: &[String]) -> Self {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Self(zxcvbn(text, &known).score().into())
    }
}
