//! Changing the password while signed in.

use std::time::Duration;

use askama::Template;

use super::password_rules::{PasswordRules, Rule};
use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/account_password.html")]
pub struct AccountPassword<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    pub account_url: &'a str,
    pub sign_out_url: &'a str,
    pub forgot_password_url: Option<&'a str>,
    pub username: &'a str,
    pub rules: PasswordRules<'a>,
    pub state: State,
}

/// Where the change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Asked,
    WrongCurrent,
    TooManyTries {
        wait: Wait,
    },
    Busy {
        wait: Wait,
    },
    Changed {
        other_sessions_ended: u32,
        /// How long apps may still use what they were given; none where no app held anything.
        apps_hold: Option<Wait>,
    },
}

impl<'a> AccountPassword<'a> {
    fn failed(&self) -> bool {
        self.rules.failed() || !matches!(self.state, State::Asked | State::Changed { .. })
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let asked = Self {
            shell,
            action: "/account/password",
            account_url: "/account",
            sign_out_url: "/sign-out",
            forgot_password_url: Some("/reset-password"),
            username: "ada@example.com",
            rules: PasswordRules::stated(PasswordRules::SAMPLE),
            state: State::Asked,
        };
        let with = |state: State| Self {
            state,
            ..asked.clone()
        };
        const SAME: &[Rule] = &[Rule::NotCurrent];
        let same = PasswordRules {
            stated: PasswordRules::SAMPLE,
            broken: SAME,
        };
        const BROKEN: &[Rule] = &[Rule::MinLength(15), Rule::NotCommon];
        let broken = PasswordRules {
            stated: PasswordRules::SAMPLE,
            broken: BROKEN,
        };
        vec![
            ("asked", asked.clone()),
            (
                "no-connector",
                Self {
                    forgot_password_url: None,
                    ..asked.clone()
                },
            ),
            ("wrong-current", with(State::WrongCurrent)),
            (
                "broken",
                Self {
                    rules: broken,
                    ..asked.clone()
                },
            ),
            (
                "same",
                Self {
                    rules: same,
                    ..asked.clone()
                },
            ),
            (
                "too-many",
                with(State::TooManyTries {
                    wait: Wait::at_least_a_second(Duration::from_secs(600)),
                }),
            ),
            (
                "busy",
                with(State::Busy {
                    wait: Wait::at_least_a_second(Duration::from_secs(5)),
                }),
            ),
            (
                "changed",
                with(State::Changed {
                    other_sessions_ended: 2,
                    apps_hold: Wait::new(Duration::from_secs(3_600)),
                }),
            ),
            (
                "changed-alone",
                with(State::Changed {
                    other_sessions_ended: 0,
                    apps_hold: None,
                }),
            ),
        ]
    }
}
