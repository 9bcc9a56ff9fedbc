//! The second step of a reset: the code that was sent, if there is an account.

use std::time::Duration;

use askama::Template;

use super::captcha::Widget;
use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/code.html")]
pub struct Code<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    pub resend_action: &'a str,
    /// Back to the first step, to type another address.
    pub other_address_url: &'a str,
    /// Just what the visitor typed, never the address on file (SR-32).
    pub identifier: &'a str,
    pub channel: Channel,
    /// Whether codes go by e-mail too, the safer way that is offered beside text messages (SR-15).
    pub email_too: bool,
    pub expires_in_minutes: u32,
    /// The flow's cool-down as the server counts it; none, and a new code may be asked for.
    pub resend_wait: Option<Wait>,
    /// Before another code is sent.
    pub captcha: Option<Widget<'a>>,
    pub notice: Option<Notice>,
    pub problem: Option<Problem>,
}

/// How the code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Email,
    Sms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    NewCodeSent,
    /// No captcha was answered: the code comes later.
    ComesLater,
}

/// All of these depend on the flow alone, so that a decoy can say them too (SR-23), but for `Wrong`, which a decoy always says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not six digits: no try was counted.
    Malformed,
    Wrong {
        tries_left: u32,
    },
    Exhausted,
    Expired,
    Superseded,
    Used,
    /// A new code was asked for within the cool-down.
    TooSoon,
    /// Too many codes were asked for.
    TooManyCodes {
        wait: Wait,
    },
    /// Too many codes were tried, of this flow or of others (SR-20).
    TooManyTries {
        wait: Wait,
    },
    /// The captcha's answer was not good: another is needed.
    NotVerified,
    /// Answers to the captcha can't be verified now.
    CheckDown,
}

/// What the page can still ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// The code, and a new one on the side.
    Code,
    /// Only a new code: this one is dead.
    NewCode,
    /// Nothing: the flow is over.
    StartAgain,
}

impl<'a> Code<'a> {
    pub(super) fn asks(&self) -> Asks {
        match self.problem {
            Some(Problem::Exhausted | Problem::Expired) => Asks::NewCode,
            Some(Problem::Used) => Asks::StartAgain,
            _ => Asks::Code,
        }
    }

    /// Whether the code field itself is what is wrong.
    pub(super) fn invalid(&self) -> bool {
        matches!(
            self.problem,
            Some(Problem::Malformed | Problem::Wrong { .. } | Problem::Superseded)
        )
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let sent = Self {
            shell,
            action: "/forgot-password/code?i=sample",
            resend_action: "/forgot-password/code/resend?i=sample",
            other_address_url: "/forgot-password?i=sample",
            identifier: "ada@example.com",
            channel: Channel::Email,
            email_too: true,
            expires_in_minutes: 10,
            resend_wait: Wait::new(Duration::from_secs(41)),
            captcha: None,
            notice: None,
            problem: None,
        };
        let with = |problem: Problem| Self {
            problem: Some(problem),
            ..sent.clone()
        };
        let wait = Wait::at_least_a_second(Duration::from_secs(540));
        vec![
            ("sent", sent.clone()),
            (
                "sms",
                Self {
                    channel: Channel::Sms,
                    identifier: "+44 7700 900123",
                    ..sent.clone()
                },
            ),
            (
                "sms-alone",
                Self {
                    channel: Channel::Sms,
                    email_too: false,
                    identifier: "+44 7700 900123",
                    ..sent.clone()
                },
            ),
            (
                "resend-ready",
                Self {
                    resend_wait: None,
                    ..sent.clone()
                },
            ),
            (
                "new-code",
                Self {
                    notice: Some(Notice::NewCodeSent),
                    ..sent.clone()
                },
            ),
            (
                "comes-later",
                Self {
                    notice: Some(Notice::ComesLater),
                    ..sent.clone()
                },
            ),
            ("malformed", with(Problem::Malformed)),
            ("wrong", with(Problem::Wrong { tries_left: 4 })),
            ("last-try", with(Problem::Wrong { tries_left: 1 })),
            (
                "exhausted",
                Self {
                    resend_wait: None,
                    ..with(Problem::Exhausted)
                },
            ),
            ("exhausted-wait", with(Problem::Exhausted)),
            (
                "expired",
                Self {
                    resend_wait: None,
                    ..with(Problem::Expired)
                },
            ),
            ("superseded", with(Problem::Superseded)),
            ("used", with(Problem::Used)),
            ("too-soon", with(Problem::TooSoon)),
            (
                "captcha",
                Self {
                    resend_wait: None,
                    captcha: Some(Widget::SAMPLE),
                    ..sent.clone()
                },
            ),
            (
                "captcha-exhausted",
                Self {
                    resend_wait: None,
                    captcha: Some(Widget::SAMPLE),
                    ..with(Problem::Exhausted)
                },
            ),
            (
                "not-verified",
                Self {
                    captcha: Some(Widget::SAMPLE),
                    ..with(Problem::NotVerified)
                },
            ),
            (
                "check-down",
                Self {
                    captcha: Some(Widget::SAMPLE),
                    ..with(Problem::CheckDown)
                },
            ),
            ("too-many-codes", with(Problem::TooManyCodes { wait })),
            ("too-many-tries", with(Problem::TooManyTries { wait })),
        ]
    }
}
