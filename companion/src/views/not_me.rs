//! "It wasn't me": the question before an account is frozen, and what is to do then.

use std::fmt;

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/not_me.html")]
pub struct NotMe<'a> {
    pub shell: Shell<'a>,
    pub state: State<'a>,
}

#[derive(Clone, Copy)]
pub enum State<'a> {
    /// The link works.
    Asked {
        action: &'a str,
        /// What the form carries: a secret.
        token: &'a str,
        /// When the password or an address was changed.
        changed_at: &'a str,
    },
    /// A code can go to an address of before the change.
    Frozen { reset_url: &'a str },
    /// There is no such address.
    FrozenForTheOperator,
    /// The link was used, is too old, or never was one.
    Stale {
        /// Where a password is reset; none where no code can be sent.
        reset_url: Option<&'a str>,
    },
}

/// Hides the token.
impl fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked { .. } => "Asked",
            Self::Frozen { .. } => "Frozen",
            Self::FrozenForTheOperator => "FrozenForTheOperator",
            Self::Stale { .. } => "Stale",
        })
    }
}

impl<'a> NotMe<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let with = |state| Self { shell, state };
        let reset_url = "/reset-password";
        vec![
            (
                "asked",
                with(State::Asked {
                    action: "/not-me",
                    token: "sample",
                    changed_at: "23 November 2026 at 18:04 UTC",
                }),
            ),
            ("frozen", with(State::Frozen { reset_url })),
            ("for-the-operator", with(State::FrozenForTheOperator)),
            (
                "stale",
                with(State::Stale {
                    reset_url: Some(reset_url),
                }),
            ),
            ("stale-without-reset", with(State::Stale { reset_url: None })),
        ]
    }
}
