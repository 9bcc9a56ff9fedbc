//! What a password may break, each with Logto's issue code.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// A broken rule. It serialises as an issue of Logto's `password.rejected`: `{"code": …, "interpolation": {…}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// Fewer code points than `min`.
    TooShort {
        /// The least.
        min: u32,
    },
    /// More code points than `max`.
    TooLong {
        /// The most.
        max: u32,
    },
    /// A control character, or one beyond ASCII where the policy allows ASCII alone.
    UnsupportedCharacters,
    /// Fewer kinds of characters than `min`.
    CharacterTypes {
        /// The least.
        min: u32,
    },
    /// Little is left beside characters repeated three times and more.
    Repetition,
    /// Little is left beside runs of the keyboard, the alphabet or the digits.
    Sequence,
    /// Little is left beside the user's own name, address or number.
    UserInfo,
    /// Little is left beside words that the operator refuses.
    Words,
    /// Among the passwords that are tried first, or put together from them.
    Common,
    /// In a corpus of breached passwords.
    Breached,
    /// The password that the account has now.
    Current,
}

impl Violation {
    /// Logto's issue code; `Common` is ours. `Current` is no issue with Logto but an error of its own.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_rejected.too_short",
            Self::TooLong { .. } => "password_rejected.too_long",
            Self::UnsupportedCharacters => "password_rejected.unsupported_characters",
            Self::CharacterTypes { .. } => "password_rejected.character_types",
            Self::Repetition => "password_rejected.restricted.repetition",
            Self::Sequence => "password_rejected.restricted.sequence",
            Self::UserInfo => "password_rejected.restricted.user_info",
            Self::Words => "password_rejected.restricted.words",
            Self::Common => "password_rejected.common",
            Self::Breached => "password_rejected.pwned",
            Self::Current => "user.same_password",
        }
    }

    /// The name and value that the message mentions.
    pub const fn interpolation(&self) -> Option<(&'static str, u32)> {
        match self {
            Self::TooShort { min } | Self::CharacterTypes { min } => Some(("min", *min)),
            Self::TooLong { max } => Some(("max", *max)),
            Self::UnsupportedCharacters
            | Self::Repetition
            | Self::Sequence
            | Self::UserInfo
            | Self::Words
            | Self::Common
            | Self::Breached
            | Self::Current => None,
        }
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code())?;
        if let Some((name, value)) = self.interpolation() {
            map.serialize_entry(
                "interpolation",
                &std::collections::BTreeMap::from([(name, value)]),
            )?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_have_logtos_shape() {
        let issues = [Violation::TooShort { min: 8 }, Violation::UserInfo];
        assert_eq!(
            serde_json::to_string(&issues).unwrap(),
            r#"[{"code":"password_rejected.too_short","interpolation":{"min":8}},{"code":"password_rejected.restricted.user_info"}]"#
        );
    }
}
