//! The third step of a reset: a new password.

use std::time::Duration;

use askama::Template;

use super::password_rules::{PasswordRules, Rule};
use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/new_password.html")]
pub struct NewPassword<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    /// What the visitor typed at the first step: a password manager saves the new password under it.
    pub username: &'a str,
    pub rules: PasswordRules<'a>,
    /// Where the password that somebody already has can be used.
    pub sign_in_url: &'a str,
    /// How long the proof still holds, where the page should say so.
    pub open_for: Option<Wait>,
    pub problem: Option<Problem>,
}

/// What kept a password from being looked at. Broken rules are in [`PasswordRules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The hashing queue is full, or the look-up of breached passwords is down and must not be skipped.
    Busy { wait: Wait },
}

impl<'a> NewPassword<'a> {
    fn failed(&self) -> bool {
        self.problem.is_some() || self.rules.failed()
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let stated = Self {
            shell,
            action: "/forgot-password/password?i=sample",
            username: "ada@example.com",
            rules: PasswordRules::stated(PasswordRules::SAMPLE),
            sign_in_url: "/sign-in?i=sample",
            open_for: Wait::new(Duration::from_secs(600)),
            problem: None,
        };
        let broken = |stated: &'static [Rule], broken: &'static [Rule]| PasswordRules { stated, broken };
        const SHORT: &[Rule] = &[Rule::MinLength(15), Rule::NoUserInfo];
        let all = PasswordRules::SAMPLE_OF_ALL;
        let wait = Wait::at_least_a_second(Duration::from_secs(5));
        vec![
            ("stated", stated.clone()),
            (
                "broken",
                Self {
                    rules: broken(PasswordRules::SAMPLE, SHORT),
                    ..stated.clone()
                },
            ),
            (
                "same",
                Self {
                    rules: broken(PasswordRules::SAMPLE, &[Rule::NotCurrent]),
                    ..stated.clone()
                },
            ),
            (
                "all-rules",
                Self {
                    rules: PasswordRules::stated(all),
                    ..stated.clone()
                },
            ),
            (
                "all-broken",
                Self {
                    rules: broken(all, all),
                    ..stated.clone()
                },
            ),
            (
                "busy",
                Self {
                    problem: Some(Problem::Busy { wait }),
                    open_for: None,
                    ..stated
                },
            ),
        ]
    }
}
