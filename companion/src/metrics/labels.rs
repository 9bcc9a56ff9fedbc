//! The words of the labels.

use super::Label;
use crate::breakers::CircuitKind;
use crate::outbox::JobKind;

/// A step of a reset, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A first code was asked for, whether or not there is an account.
    Started,
    /// Another code was asked for.
    Resent,
    /// A code was handed over to the server that carries it.
    Sent,
    /// The right code came.
    Verified,
    /// The password was set.
    Changed,
    /// Somebody signed in with it for the first time.
    SignedInAgain,
}

impl Step {
    pub const ALL: [Self; 6] = [
        Self::Started,
        Self::Resent,
        Self::Sent,
        Self::Verified,
        Self::Changed,
        Self::SignedInAgain,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Resent => "resent",
            Self::Sent => "sent",
            Self::Verified => "verified",
            Self::Changed => "changed",
            Self::SignedInAgain => "signed_in_again",
        }
    }
}

/// Where a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Where a code is asked for.
    ForgotPassword,
    /// Where another is.
    Resend,
    /// Where it is typed.
    Code,
    /// Where the new password is chosen.
    NewPassword,
    SignIn,
    /// Where who is signed in changes the password.
    AccountPassword,
    /// Where the code of a device is typed.
    Device,
    /// Any call below `/api`.
    Api,
    /// Any form.
    Form,
}

impl Place {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForgotPassword => "forgot_password",
            Self::Resend => "resend",
            Self::Code => "code",
            Self::NewPassword => "new_password",
            Self::SignIn => "sign_in",
            Self::AccountPassword => "account_password",
            Self::Device => "device",
            Self::Api => "api",
            Self::Form => "form",
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Too often.
    Limit,
    /// Something that it needs has no room, or does not answer.
    Busy,
    /// The captcha was answered wrongly, or its answer had been used.
    Captcha,
    /// Nobody could say whether the captcha's answer was right.
    CaptchaDown,
    /// The form stood on another site.
    OtherSite,
    WrongCode,
    /// The code has had its tries.
    Exhausted,
    /// The code, or the whole reset, is over: expired, used, superseded.
    Over,
    WrongPassword,
    /// The new password breaks the policy.
    Policy,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Busy => "busy",
            Self::Captcha => "captcha",
            Self::CaptchaDown => "captcha_down",
            Self::OtherSite => "other_site",
            Self::WrongCode => "wrong_code",
            Self::Exhausted => "exhausted",
            Self::Over => "over",
            Self::WrongPassword => "wrong_password",
            Self::Policy => "policy",
        }
    }
}

/// The refusals there are.
pub(super) const REFUSALS: [(Place, Reason); 27] = [
    (Place::ForgotPassword, Reason::Limit),
    (Place::ForgotPassword, Reason::Captcha),
    (Place::ForgotPassword, Reason::CaptchaDown),
    (Place::Resend, Reason::Limit),
    (Place::Resend, Reason::Captcha),
    (Place::Resend, Reason::CaptchaDown),
    (Place::Resend, Reason::Over),
    (Place::Code, Reason::Limit),
    (Place::Code, Reason::WrongCode),
    (Place::Code, Reason::Exhausted),
    (Place::Code, Reason::Over),
    (Place::NewPassword, Reason::Limit),
    (Place::NewPassword, Reason::Busy),
    (Place::NewPassword, Reason::Over),
    (Place::NewPassword, Reason::Policy),
    (Place::SignIn, Reason::Limit),
    (Place::SignIn, Reason::Busy),
    (Place::SignIn, Reason::WrongPassword),
    (Place::AccountPassword, Reason::Limit),
    (Place::AccountPassword, Reason::WrongPassword),
    (Place::AccountPassword, Reason::Policy),
    (Place::Device, Reason::Limit),
    (Place::Api, Reason::Limit),
    (Place::Api, Reason::Busy),
    (Place::Api, Reason::WrongCode),
    (Place::Api, Reason::WrongPassword),
    (Place::Form, Reason::OtherSite),
];

/// What became of a try of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It failed, and is tried again.
    Retried,
    /// It can't be done.
    GivenUp,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Done, Self::Retried, Self::GivenUp];

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::GivenUp => "given_up",
        }
    }
}

pub(super) fn of_step(step: Step) -> [Label; 1] {
    [("step", step.as_str())]
}

pub(super) fn of_refusal(place: Place, reason: Reason) -> [Label; 2] {
    [("at", place.as_str()), ("reason", reason.as_str())]
}

pub(super) fn of_circuit(kind: CircuitKind) -> [Label; 1] {
    [("peer", kind.as_str())]
}

pub(super) fn of_job(kind: JobKind, outcome: Outcome) -> [Label; 2] {
    [("kind", kind.as_str()), ("outcome", outcome.as_str())]
}
