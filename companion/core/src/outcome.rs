//! What each step of a reset may answer.
//!
//! A rejection is an expected answer to the visitor: a value on the `Ok` side, without a source. Whatever is the fault
//! of the house is a [`Failure`]. So a step gives an [`Answer`], and `?` deals with the failure alone.
//!
//! All rejections but [`VerifyRejection::WrongCode`] follow from the flow alone, which an unknown identifier has too:
//! they may be said. Right or wrong of a live code has one answer, the same for a decoy (SR-25, SR-26).

use std::time::Duration;

use crate::identifier::Identifier;
use crate::ids::{ChallengeId, FlowId};
use crate::password::Violation;
use crate::ports::Failure;
use crate::reset::Receipt;
use crate::secret::{BindingSecret, Proof};
use crate::time::Timestamp;

/// Outside, what only the house may know; inside, what the visitor is told.
pub type Answer<T, R> = Result<Result<T, R>, Failure>;

/// A code is on its way, or would be if there were an account.
#[derive(Debug)]
pub struct Begun {
    /// The flow.
    pub flow_id: FlowId,
    /// The challenge that the code answers; an API's `verificationId`.
    pub challenge_id: ChallengeId,
    /// For the browser's cookie.
    pub binding: BindingSecret,
    /// When the code expires.
    pub code_expires_at: Timestamp,
    /// From when another may be asked for.
    pub resend_at: Timestamp,
}

/// Another code is on its way, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resent {
    /// The challenge that the new code answers.
    pub challenge_id: ChallengeId,
    /// When the code expires.
    pub code_expires_at: Timestamp,
    /// From when another may be asked for.
    pub resend_at: Timestamp,
}

/// The code was right.
#[derive(Debug)]
pub struct Verified {
    /// What sets the password. It is given out this once.
    pub proof: Proof,
    /// Until when it does.
    pub expires_at: Timestamp,
}

/// The password is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSet {
    /// What was done besides.
    pub receipt: Receipt,
}

/// What a page must know to show the step that a flow is at.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowView {
    /// What the visitor typed, normalised: nothing more than they know (SR-32).
    pub identifier: Identifier,
    /// The app that the visitor came from.
    pub client_id: Option<String>,
    /// The interaction of the provider that the reset runs in.
    pub interaction: Option<String>,
    /// The step.
    pub step: StepView,
}

/// What the page behind the link of a code must know.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkView {
    /// What the visitor typed, normalised.
    pub identifier: Identifier,
    /// The app that the visitor came from.
    pub client_id: Option<String>,
    /// The interaction of the provider that the reset runs in.
    pub interaction: Option<String>,
    /// Whether this is the browser that asked: the only one in which the code may be tried (SR-30).
    pub is_own: bool,
    /// Until when the code may be tried, or why it may not.
    pub code: Result<Timestamp, VerifyRejection>,
}

/// The step that a flow is at.
#[derive(Clone, Debug, PartialEq)]
pub enum StepView {
    /// The code is asked for.
    Code {
        /// The challenge that it answers.
        challenge_id: ChallengeId,
        /// Whether a code can still be right.
        standing: CodeStanding,
        /// When it expires, or did.
        expires_at: Timestamp,
        /// From when another may be asked for.
        resend_at: Timestamp,
        /// How often it may still be tried.
        attempts_left: u32,
    },
    /// The new password is asked for.
    Password {
        /// Until when.
        expires_at: Timestamp,
        /// How often a password may still be refused.
        tries_left: u32,
        /// Whether the time is over or the tries are used up.
        standing: ProofStanding,
    },
    /// All is done.
    Done {
        /// What was done besides setting the password.
        receipt: Receipt,
    },
    /// The whole flow took too long.
    Expired,
}

/// Whether a code can still be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeStanding {
    /// It can.
    Live,
    /// Its time is over.
    Expired,
    /// It was tried too often.
    Exhausted,
}

/// Whether a proof can still set a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofStanding {
    /// It can.
    Live,
    /// Its time is over.
    Expired,
    /// Too many passwords were refused.
    Exhausted,
}

/// Why no code was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifyRejection {
    /// No connector serves this kind of identifier.
    ChannelUnavailable,
    /// Too many codes were asked for.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
}

/// Why a flow is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewRejection {
    /// There is no such flow (any more).
    UnknownFlow,
    /// It was begun in another browser.
    OtherBrowser,
}

/// Why no other code was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendRejection {
    /// There is no such flow (any more).
    UnknownFlow,
    /// It was begun in another browser.
    OtherBrowser,
    /// The whole flow took too long.
    Expired,
    /// The code was accepted already, or all is done.
    AlreadyUsed,
    /// The cool-down is not over.
    TooSoon {
        /// When it is.
        retry_at: Timestamp,
    },
    /// Too many codes were asked for.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
}

/// Why a code gave no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyRejection {
    /// There is no such flow (any more).
    UnknownFlow,
    /// It was begun in another browser.
    OtherBrowser,
    /// The code's time, or the flow's, is over.
    Expired,
    /// A newer code of the same flow replaced it.
    Superseded,
    /// A code of this flow was accepted already.
    AlreadyUsed,
    /// It was tried too often; a new code may be asked for.
    Exhausted,
    /// Too many codes were tried, over all flows.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
    /// Wrong, or right for nobody.
    WrongCode {
        /// How often it may still be tried.
        attempts_left: u32,
    },
}

/// Why a one-time token opened no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRejection {
    /// It was used or revoked, has expired, is for another address or purpose, never was one, or nobody may reset over the
    /// address: one answer for all.
    Refused,
    /// Too many were brought.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
}

/// Why no password was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPasswordRejection {
    /// There is no such flow (any more).
    UnknownFlow,
    /// It was begun in another browser.
    OtherBrowser,
    /// No code was accepted yet, or this is not the proof that was given for it.
    NotProven,
    /// The proof's time, or the flow's, is over.
    Expired,
    /// Too many passwords were refused.
    Exhausted,
    /// The flow has set its password.
    AlreadyUsed,
    /// Another answer of the same browser came first and set nothing; the proof still holds.
    Overtaken,
    /// Too many passwords were submitted.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
    /// It breaks these rules. The proof still holds (SR-46).
    Weak {
        /// All of the rules that it breaks.
        violations: Vec<Violation>,
        /// How often a password may still be refused.
        tries_left: u32,
    },
    /// Breached passwords can't be looked up now, and the operator wants them looked up. The proof still holds.
    CheckUnavailable,
    /// The account is gone or may not sign in any more.
    AccountUnavailable,
}

macro_rules! also_rejects_a_step {
    ($($rejection:ident),*) => {$(
        impl From<ViewRejection> for $rejection {
            fn from(rejection: ViewRejection) -> Self {
                match rejection {
                    ViewRejection::UnknownFlow => Self::UnknownFlow,
                    ViewRejection::OtherBrowser => Self::OtherBrowser,
                }
            }
        }
    )*};
}

also_rejects_a_step!(ResendRejection, VerifyRejection, SetPasswordRejection);
