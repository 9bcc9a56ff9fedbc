//! What can be sent.

/// Whose browser sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Ada,
    Ben,
}

/// A code that is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The newest of the flow that the address names, whoever asked for that.
    Newest,
    /// The one before it, or once more the newest where there is none.
    Earlier,
    /// The newest of the other flow.
    OfOther,
    Wrong,
    NoDigits,
}

/// A request, before anything is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Code(Typed),
    Resend,
    StrongPassword,
    WeakPassword,
    Look(&'static str),
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    Nothing,
    /// The flow's cookie is gone.
    NoCookie,
    /// The flow's cookie holds the secrets of the other flow.
    OthersSecrets,
    /// The flow's cookie holds its own binding, and the proof of the other flow.
    OthersProof,
    /// The address names the other flow; the cookies are the browser's own.
    OthersFlow,
    /// The address names the other flow, and its cookie holds the secrets of the browser's own.
    OthersFlowOwnSecrets,
    /// The address names no flow.
    NoFlow,
    /// The address names no challenge.
    NoChallenge,
    /// The address names the other flow's challenge.
    OthersChallenge,
    /// The body is empty.
    NoFields,
    /// The field comes twice.
    FieldTwice,
    /// Fields that other steps have, or that name the other account.
    MoreFields,
    /// The body of this step goes to the address of another.
    OtherStep,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Sent(Who, Request, Twist),
    /// Three wrong codes, one after the other.
    ThreeWrong(Who),
    /// So many seconds pass.
    Wait(u64),
    /// What has expired is forgotten.
    Sweep,
}

use Request::{Code, Look, Resend, StrongPassword, WeakPassword};

const REQUESTS: [Request; 12] = [
    Code(Typed::Newest),
    Code(Typed::Earlier),
    Code(Typed::OfOther),
    Code(Typed::Wrong),
    Code(Typed::NoDigits),
    Resend,
    StrongPassword,
    WeakPassword,
    Look("/forgot-password"),
    Look("/forgot-password/code"),
    Look("/forgot-password/password"),
    Look("/forgot-password/done"),
];

const TWISTS: [Twist; 13] = [
    Twist::Nothing,
    Twist::NoCookie,
    Twist::OthersSecrets,
    Twist::OthersProof,
    Twist::OthersFlow,
    Twist::OthersFlowOwnSecrets,
    Twist::NoFlow,
    Twist::NoChallenge,
    Twist::OthersChallenge,
    Twist::NoFields,
    Twist::FieldTwice,
    Twist::MoreFields,
    Twist::OtherStep,
];

impl Twist {
    /// Whether the browser sends what is in its jar; else a cookie that was made up, or none.
    pub(super) fn keeps_the_cookies(self) -> bool {
        !matches!(
            self,
            Self::NoCookie
                | Self::OthersSecrets
                | Self::OthersProof
                | Self::OthersFlow
                | Self::OthersFlowOwnSecrets
                | Self::NoFlow
        )
    }

    /// Whether it makes another request of this one.
    fn changes(self, request: Request) -> bool {
        match self {
            Self::NoFields | Self::FieldTwice | Self::OtherStep => !matches!(request, Look(_) | Resend),
            Self::MoreFields => !matches!(request, Look(_)),
            Self::NoChallenge | Self::OthersChallenge => matches!(request, Code(_)),
            _ => true,
        }
    }
}

impl Move {
    /// Every move there is.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::ThreeWrong(Who::Ada),
            Self::Wait(61),
            Self::Wait(601),
            Self::Wait(3_601),
            Self::Sweep,
        ];
        for who in [Who::Ada, Who::Ben] {
            for request in REQUESTS {
                let twists = TWISTS.into_iter().filter(|twist| twist.changes(request));
                all.extend(twists.map(|twist| Self::Sent(who, request, twist)));
            }
        }
        all
    }
}
