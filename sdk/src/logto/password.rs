//! Passwords on their way to an API, and what a policy has against them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::printable_word;

/// A password on its way to an API. Wiped when dropped, and never printed.
///
/// It is made of a text by `into`; what the text came from is the caller's to wipe.
pub struct Password(Zeroizing<String>);

impl Password {
    fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(Zeroizing::new(password))
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(Zeroizing::new(password.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The body that carries a password. It borrows: no copy is made that nobody wipes.
#[derive(Serialize)]
pub(super) struct PasswordBody<'a> {
    password: &'a str,
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

impl<'a> PasswordBody<'a> {
    pub(super) fn new(password: &'a Password) -> Self {
        Self {
            password: password.expose(),
            user_id: None,
        }
    }

    /// With the person whose name and address the password must not be made of.
    pub(super) fn of(password: &'a Password, user_id: Option<&'a str>) -> Self {
        Self {
            user_id,
            ..Self::new(password)
        }
    }
}

/// A rule of the policy that a password breaks (`password_rejected.*`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordIssue {
    /// It is too short.
    TooShort {
        /// The fewest characters, where Logto tells.
        min: Option<u64>,
    },
    /// It is too long.
    TooLong {
        /// The most characters, where Logto tells.
        max: Option<u64>,
    },
    /// It has characters other than ASCII's.
    UnsupportedCharacters,
    /// It has too few of the four kinds: upper case, lower case, digits, symbols.
    CharacterTypes {
        /// The fewest kinds, where Logto tells.
        min: Option<u64>,
    },
    /// It is on a list of passwords that were stolen.
    Pwned,
    /// It repeats a character.
    Repetition,
    /// It follows the alphabet, the digits or the keyboard.
    Sequence,
    /// It is made of the person's own name, address or number.
    UserInfo,
    /// It has a word that the operator does not allow.
    Words,
    /// A rule that this version does not know.
    Other(String),
}

/// An issue as Logto writes it.
#[derive(Deserialize)]
struct RawIssue {
    code: String,
    #[serde(default)]
    interpolation: Option<Value>,
}

impl PasswordIssue {
    /// The issues of a list. What is no issue is none, as Logto adds to the list.
    pub(super) fn parse_all(list: &Value) -> Vec<Self> {
        let issues = list.as_array().into_iter().flatten();
        issues.filter_map(Self::parse).collect()
    }

    fn parse(issue: &Value) -> Option<Self> {
        let RawIssue { code, interpolation } = RawIssue::deserialize(issue).ok()?;
        let number = |name| interpolation.as_ref()?.get(name)?.as_u64();
        Some(match code.strip_prefix("password_rejected.").unwrap_or(&code) {
            "too_short" => Self::TooShort { min: number("min") },
            "too_long" => Self::TooLong { max: number("max") },
            "unsupported_characters" => Self::UnsupportedCharacters,
            "character_types" => Self::CharacterTypes { min: number("min") },
            "pwned" => Self::Pwned,
            "restricted.repetition" => Self::Repetition,
            "restricted.sequence" => Self::Sequence,
            "restricted.user_info" => Self::UserInfo,
            "restricted.words" => Self::Words,
            other => Self::Other(printable_word(other)),
        })
    }
}
