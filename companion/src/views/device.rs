//! The page on which a person types the code that their device shows (RFC 8628 3.3).

use std::time::Duration;

use askama::Template;

use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/device.html")]
pub struct Device<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    /// What was typed, or stood in the address that the device showed.
    pub user_code: &'a str,
    /// The code came with the address: nobody has compared it with the device yet.
    pub came_along: bool,
    pub problem: Option<Problem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not eight letters: nothing was looked up.
    Malformed,
    /// Nothing waits under it.
    Unknown,
    /// It was right, and is answered or expired by now.
    Gone,
    TooManyTries {
        wait: Wait,
    },
}

impl<'a> Device<'a> {
    /// Whether the code itself is what is wrong.
    pub(super) fn invalid(&self) -> bool {
        matches!(self.problem, Some(Problem::Malformed | Problem::Unknown))
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let empty = Self {
            shell,
            action: "/device",
            user_code: "",
            came_along: false,
            problem: None,
        };
        let with = |user_code: &'a str, problem: Problem| Self {
            user_code,
            problem: Some(problem),
            ..empty.clone()
        };
        let wait = Wait::at_least_a_second(Duration::from_secs(540));
        vec![
            ("empty", empty.clone()),
            (
                "came-along",
                Self {
                    user_code: "WDJB-MJHT",
                    came_along: true,
                    ..empty.clone()
                },
            ),
            ("malformed", with("wdjb", Problem::Malformed)),
            ("unknown", with("WDJB-MJHT", Problem::Unknown)),
            ("gone", with("", Problem::Gone)),
            (
                "too-many-tries",
                with("WDJB-MJHT", Problem::TooManyTries { wait }),
            ),
        ]
    }
}
