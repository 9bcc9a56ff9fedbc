//! What the link of a reset mail opens: a button that goes on where the reset was begun, one that shows the code anywhere else.

use std::fmt;

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/reset_link.html")]
pub struct ResetLink<'a> {
    pub shell: Shell<'a>,
    pub state: State<'a>,
}

#[derive(Clone, Copy)]
pub enum State<'a> {
    /// In the browser that asked.
    Own {
        /// Where the code page's form goes.
        action: &'a str,
        /// What the form carries.
        code: &'a str,
        /// Just what the visitor typed (SR-32).
        identifier: &'a str,
    },
    /// In any other: no code yet.
    Elsewhere {
        action: &'a str,
        /// What the form carries: the link's own secret.
        token: &'a str,
        expires_in_minutes: u32,
    },
    /// There, once the button was pressed.
    Code { code: &'a str, expires_in_minutes: u32 },
    /// The code can't be tried any more, in the browser that asked.
    StaleHere {
        /// The page that says why, and sends another code.
        code_url: &'a str,
    },
    /// The same in any other, or the link never was one.
    Stale {
        /// Where a password is reset; none where no code can be sent.
        reset_url: Option<&'a str>,
    },
}

/// Hides the code and the link.
impl fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own { .. } => "Own",
            Self::Elsewhere { .. } => "Elsewhere",
            Self::Code { .. } => "Code",
            Self::StaleHere { .. } => "StaleHere",
            Self::Stale { .. } => "Stale",
        })
    }
}

impl<'a> ResetLink<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let with = |state| Self { shell, state };
        vec![
            (
                "own-browser",
                with(State::Own {
                    action: "/forgot-password/code?i=sample",
                    code: "004217",
                    identifier: "ada@example.com",
                }),
            ),
            (
                "other-browser",
                with(State::Elsewhere {
                    action: "/forgot-password/link",
                    token: "sample",
                    expires_in_minutes: 9,
                }),
            ),
            (
                "code",
                with(State::Code {
                    code: "004217",
                    expires_in_minutes: 9,
                }),
            ),
            (
                "stale-here",
                with(State::StaleHere {
                    code_url: "/forgot-password/code?i=sample",
                }),
            ),
            (
                "stale",
                with(State::Stale {
                    reset_url: Some("/reset-password"),
                }),
            ),
            ("stale-without-reset", with(State::Stale { reset_url: None })),
        ]
    }
}
