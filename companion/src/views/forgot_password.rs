//! The first step of a reset: who are you?

use std::time::Duration;

use askama::Template;

use super::captcha::Widget;
use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/forgot_password.html")]
pub struct ForgotPassword<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    pub channels: Channels,
    pub identifier: &'a str,
    pub sign_in_url: Option<&'a str>,
    pub captcha: Option<Widget<'a>>,
    pub notice: Option<Notice>,
    pub problem: Option<Problem>,
}

/// Where a code can be sent, by the connectors that are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    EmailOrPhone,
    Email,
    Phone,
}

/// What just happened, told calmly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// What stood here before is over (expired, closed, in another browser): the way starts again.
    StartAgain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Neither an address nor a number that this site could send to.
    Malformed,
    TooManyRequests {
        wait: Wait,
    },
    /// The captcha's answer was not good: another is needed.
    NotVerified,
    /// Answers to the captcha can't be verified now.
    CheckDown,
}

impl Channels {
    /// The keyboard a phone should show.
    pub(super) fn inputmode(self) -> &'static str {
        match self {
            Self::EmailOrPhone | Self::Email => "email",
            Self::Phone => "tel",
        }
    }
}

impl<'a> ForgotPassword<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let empty = Self {
            shell,
            action: "/forgot-password?i=sample",
            channels: Channels::EmailOrPhone,
            identifier: "",
            sign_in_url: Some("/sign-in?i=sample"),
            captcha: None,
            notice: None,
            problem: None,
        };
        let wait = Wait::at_least_a_second(Duration::from_secs(480));
        let malformed = Self {
            identifier: "ada@",
            problem: Some(Problem::Malformed),
            ..empty.clone()
        };
        vec![
            ("empty", empty.clone()),
            (
                "email",
                Self {
                    channels: Channels::Email,
                    ..empty.clone()
                },
            ),
            (
                "phone",
                Self {
                    channels: Channels::Phone,
                    sign_in_url: None,
                    ..empty.clone()
                },
            ),
            (
                "malformed-email",
                Self {
                    channels: Channels::Email,
                    ..malformed.clone()
                },
            ),
            (
                "malformed-phone",
                Self {
                    channels: Channels::Phone,
                    identifier: "079 123",
                    ..malformed.clone()
                },
            ),
            ("malformed", malformed),
            (
                "start-again",
                Self {
                    notice: Some(Notice::StartAgain),
                    ..empty.clone()
                },
            ),
            (
                "captcha",
                Self {
                    captcha: Some(Widget::SAMPLE),
                    ..empty.clone()
                },
            ),
            (
                "not-verified",
                Self {
                    identifier: "ada@example.com",
                    captcha: Some(Widget::SAMPLE),
                    problem: Some(Problem::NotVerified),
                    ..empty.clone()
                },
            ),
            (
                "check-down",
                Self {
                    identifier: "ada@example.com",
                    captcha: Some(Widget::SAMPLE),
                    problem: Some(Problem::CheckDown),
                    ..empty.clone()
                },
            ),
            (
                "too-many",
                Self {
                    identifier: "ada@example.com",
                    problem: Some(Problem::TooManyRequests { wait }),
                    ..empty
                },
            ),
        ]
    }
}
