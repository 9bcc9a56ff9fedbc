//! What happened, as values: the store writes them to the audit trail, in the transaction of what they tell.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::identifier::IdentifierKind;
use crate::ids::{FlowId, Subject};
use crate::rate_limit::{ClientPrefix, IdentifierHash};
use crate::reset::Receipt;
use crate::time::Timestamp;

/// Who stands at the other end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The address of the connection, or the one a trusted proxy named (SR-6, SR-7).
    pub address: IpAddr,
    /// What the browser says it is: a stranger's word, cut to what is worth keeping.
    pub user_agent: Option<String>,
}

/// One line of the audit trail (SR-62). It names no address, no number, no code and no password.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub visitor: Visitor,
    /// In which flow.
    pub flow_id: FlowId,
    /// For which app.
    pub client_id: Option<String>,
    /// The keyed hash of the identifier: lines about the same one can be put together.
    pub identifier: IdentifierHash,
    /// What.
    pub kind: EventKind,
}

/// What happened in a reset flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A code was asked for; whether an account exists is not known yet.
    ResetRequested {
        /// Over which channel.
        channel: IdentifierKind,
    },
    /// Another code was asked for; it supersedes the one before.
    CodeResent {
        /// How many codes this flow has asked for.
        sends: u32,
    },
    /// A code was wrong, or right for nobody.
    CodeRejected {
        /// How many tries this challenge has had.
        attempts: u32,
    },
    /// The last try of a challenge was wrong: no code is right for it any more.
    AttemptsExhausted {
        /// How many tries it had.
        attempts: u32,
    },
    /// The right code came: a proof was issued.
    CodeAccepted {
        /// Whose code it was.
        subject: Subject,
    },
    /// A one-time token came: it was used up, and a proof was issued.
    TokenAccepted {
        /// Whose address it proved.
        subject: Subject,
    },
    /// A new password was refused.
    PasswordRejected {
        /// Whose it would have been.
        subject: Subject,
        /// The codes of the rules it broke.
        violations: Vec<String>,
    },
    /// The password was set, and the sessions ended.
    ResetCompleted {
        /// Whose password it is.
        subject: Subject,
        /// What was done besides.
        receipt: Receipt,
    },
}

impl Visitor {
    /// What limits count this visitor by.
    pub fn prefix(&self) -> ClientPrefix {
        ClientPrefix::from(self.address)
    }
}

impl EventKind {
    /// The stable name of the event, for the audit trail and for metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ResetRequested { .. } => "reset_requested",
            Self::CodeResent { .. } => "code_resent",
            Self::CodeRejected { .. } => "code_rejected",
            Self::AttemptsExhausted { .. } => "attempts_exhausted",
            Self::CodeAccepted { .. } => "code_accepted",
            Self::TokenAccepted { .. } => "token_accepted",
            Self::PasswordRejected { .. } => "password_rejected",
            Self::ResetCompleted { .. } => "reset_completed",
        }
    }

    /// The user it is about, where that is known.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::CodeAccepted { subject }
            | Self::TokenAccepted { subject }
            | Self::PasswordRejected { subject, .. }
            | Self::ResetCompleted { subject, .. } => Some(subject),
            Self::ResetRequested { .. }
            | Self::CodeResent { .. }
            | Self::CodeRejected { .. }
            | Self::AttemptsExhausted { .. } => None,
        }
    }
}
