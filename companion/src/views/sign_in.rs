//! The sign-in page.

use askama::Template;

use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignIn<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    /// The app the visitor goes on to.
    pub app_name: &'a str,
    /// What was typed before, or the request's `login_hint`.
    pub identifier: &'a str,
    /// None where no connector is valid: then nothing leads to the reset.
    pub forgot_password_url: Option<&'a str>,
    pub notice: Option<Notice>,
    pub problem: Option<Problem>,
}

/// What just happened, told calmly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    PasswordChanged,
    /// The app or an operator asks for a fresh sign-in although a session lives.
    SignInAgain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// One answer for an unknown identifier and for a wrong password.
    WrongCredentials,
    TooManyTries {
        wait: Wait,
    },
    /// The hashing queue is full: nothing was checked.
    Busy {
        wait: Wait,
    },
}

impl<'a> SignIn<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let empty = Self {
            shell,
            action: "/sign-in?i=sample",
            app_name: "Larkspur Books",
            identifier: "",
            forgot_password_url: Some("/forgot-password?i=sample"),
            notice: None,
            problem: None,
        };
        let ada = Self {
            identifier: "ada@example.com",
            ..empty.clone()
        };
        let wait = Wait::at_least_a_second(std::time::Duration::from_secs(170));
        vec![
            ("empty", empty.clone()),
            (
                "no-connector",
                Self {
                    forgot_password_url: None,
                    ..empty.clone()
                },
            ),
            ("prefilled", ada.clone()),
            (
                "password-changed",
                Self {
                    notice: Some(Notice::PasswordChanged),
                    ..ada.clone()
                },
            ),
            (
                "again",
                Self {
                    notice: Some(Notice::SignInAgain),
                    ..ada.clone()
                },
            ),
            (
                "wrong",
                Self {
                    problem: Some(Problem::WrongCredentials),
                    ..ada.clone()
                },
            ),
            (
                "too-many",
                Self {
                    problem: Some(Problem::TooManyTries { wait }),
                    ..ada.clone()
                },
            ),
            (
                "busy",
                Self {
                    problem: Some(Problem::Busy {
                        wait: Wait::at_least_a_second(std::time::Duration::from_secs(5)),
                    }),
                    ..ada
                },
            ),
        ]
    }
}
