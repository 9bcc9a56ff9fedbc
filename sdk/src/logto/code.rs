//! One-time codes: where they go, and why one is not right.

use std::fmt;

use serde_json::{Value, json};

use crate::error::ApiCode;

/// Where a one-time code is sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// An e-mail address.
    Email(String),
    /// A phone number: country code and number in digits, as Logto keeps it.
    Phone(String),
}

impl Recipient {
    /// As the Account API names it.
    pub(super) fn identifier(&self) -> Value {
        let (kind, value) = self.parts();
        json!({ "type": kind, "value": value })
    }

    /// The kind, which is also the member that the Management API puts the value into.
    pub(super) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Email(value) => ("email", value),
            Self::Phone(value) => ("phone", value),
        }
    }
}

/// The kind alone: the rest is personal data.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email([redacted])",
            Self::Phone(_) => "Phone([redacted])",
        })
    }
}

/// Why a one-time code is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeRefusal {
    /// It is another one. Each counts as a try.
    Wrong,
    /// It is too old: ten minutes unless the operator says otherwise.
    Expired,
    /// Too many were wrong: from now on not even the right one counts, and a new one must be sent.
    TriesUsedUp,
    /// It was used, or none was sent.
    NotFound,
    /// It was sent to another recipient.
    OtherRecipient,
}

impl CodeRefusal {
    /// `None` for what is an error and no answer.
    pub(super) fn of(code: &ApiCode) -> Option<Self> {
        Some(match code {
            ApiCode::CodeMismatch => Self::Wrong,
            ApiCode::CodeExpired => Self::Expired,
            ApiCode::CodeTriesUsedUp => Self::TriesUsedUp,
            ApiCode::CodeNotFound => Self::NotFound,
            ApiCode::CodeEmailMismatch | ApiCode::CodePhoneMismatch => Self::OtherRecipient,
            _ => return None,
        })
    }
}
