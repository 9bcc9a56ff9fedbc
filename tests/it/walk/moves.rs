//! What can be sent.

/// Whose browser sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Ada,
    Ben,
}

impl Who {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Ada => Self::Ben,
            Self::Ben => Self::Ada,
        }
    }
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
    /// The one that an app has sent to the same address.
    OfApp,
    Wrong,
    NoDigits,
}

/// Whose address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Oneself,
    TheOther,
    /// Nobody has an account with it: the flow is a decoy.
    Nobody,
}

/// Whose link, or whose waiting request with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    Others,
}

/// A request, before anything is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Ask(Whom),
    Code(Typed),
    Resend,
    StrongPassword,
    WeakPassword,
    /// The link of the newest mail is opened.
    Link(Whose),
    /// The button behind it is pressed.
    PressLink(Whose),
    /// The button is pressed that uses a token of an app's up.
    PressToken(Whose),
    Look(&'static str),
}

/// What an app does over the API, for the address of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByApp {
    Send,
    Verify(Typed),
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
    App(Who, ByApp),
    /// An app sends the person here with a token for a reset.
    Brings(Who),
    /// Three wrong codes, one after the other.
    ThreeWrong(Who),
    /// So many seconds pass.
    Wait(u64),
    /// What has expired is forgotten.
    Sweep,
}

use Request::{Ask, Code, Link, Look, PressLink, PressToken, Resend, StrongPassword, WeakPassword};

const REQUESTS: [Request; 25] = [
    Ask(Whom::Oneself),
    Ask(Whom::TheOther),
    Ask(Whom::Nobody),
    Code(Typed::Newest),
    Code(Typed::Earlier),
    Code(Typed::OfOther),
    Code(Typed::OfApp),
    Code(Typed::Wrong),
    Code(Typed::NoDigits),
    Resend,
    StrongPassword,
    WeakPassword,
    Link(Whose::Own),
    Link(Whose::Others),
    PressLink(Whose::Own),
    PressLink(Whose::Others),
    PressToken(Whose::Own),
    PressToken(Whose::Others),
    Look("/reset-password"),
    Look("/forgot-password/link"),
    Look("/forgot-password/token"),
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

impl Request {
    /// Whether it goes elsewhere than to the steps of a flow that is under way.
    fn is_of_another_door(self) -> bool {
        matches!(
            self,
            Ask(_)
                | Code(Typed::OfApp)
                | Link(_)
                | PressLink(_)
                | PressToken(_)
                | Look("/reset-password" | "/forgot-password/link" | "/forgot-password/token")
        )
    }
}

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
        if request.is_of_another_door() {
            // They name no flow: it is in the jar, or isn't.
            let with_fields = !matches!(request, Link(_) | Look(_) | PressToken(_));
            return match self {
                Self::Nothing | Self::NoCookie => true,
                Self::OthersSecrets => matches!(request, Link(_) | PressLink(_)),
                Self::MoreFields => !matches!(request, Link(_) | Look(_)),
                Self::NoFields | Self::FieldTwice => with_fields,
                _ => false,
            };
        }
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
            let by_app = [
                ByApp::Send,
                ByApp::Verify(Typed::Newest),
                ByApp::Verify(Typed::OfApp),
                ByApp::Verify(Typed::Wrong),
            ];
            all.extend(by_app.map(|by_app| Self::App(who, by_app)));
            all.push(Self::Brings(who));
        }
        all
    }
}
