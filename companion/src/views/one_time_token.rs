//! The way into a reset by a token that an app has sent: a button, and what to do where the token doesn't serve.

use std::time::Duration;

use askama::Template;

use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/one_time_token.html")]
pub struct OneTimeToken<'a> {
    pub shell: Shell<'a>,
    pub state: State<'a>,
}

#[derive(Clone, Copy, Debug)]
pub enum State<'a> {
    /// The token serves.
    Asked {
        action: &'a str,
        /// The address that the app named.
        identifier: &'a str,
        /// There were too many tries from here.
        wait: Option<Wait>,
    },
    /// It was used, revoked, is too old, is for another address, or never was one; or nobody has the address.
    Stale {
        /// Where a code is asked for; none where no code can be sent.
        forgot_url: Option<&'a str>,
    },
}

impl<'a> OneTimeToken<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let with = |state| Self { shell, state };
        let asked = |wait| {
            with(State::Asked {
                action: "/forgot-password/token?i=sample",
                identifier: "ada@example.com",
                wait,
            })
        };
        let wait = Wait::at_least_a_second(Duration::from_secs(40));
        vec![
            ("asked", asked(None)),
            ("too-many-requests", asked(Some(wait))),
            (
                "stale",
                with(State::Stale {
                    forgot_url: Some("/forgot-password?i=sample"),
                }),
            ),
            ("stale-without-reset", with(State::Stale { forgot_url: None })),
        ]
    }
}
