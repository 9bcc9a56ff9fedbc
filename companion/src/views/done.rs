//! The end of a reset: a receipt, what it does not reach, and the way to the sign-in.

use std::time::Duration;

use askama::Template;

use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/done.html")]
pub struct Done<'a> {
    pub shell: Shell<'a>,
    /// The app the sign-in leads to.
    pub app_name: &'a str,
    pub sign_in_url: &'a str,
    /// Sessions that were ended here.
    pub sessions_ended: u32,
    /// Apps that are being told.
    pub apps_told: u32,
    /// How long apps may still use what they were given; none where no app held anything.
    pub apps_hold: Option<Wait>,
}

impl<'a> Done<'a> {
    /// Whether the old password had opened anything.
    fn has_ended_something(&self) -> bool {
        self.sessions_ended > 0 || self.apps_hold.is_some()
    }

    fn has_receipt(&self) -> bool {
        self.sessions_ended > 0 || self.apps_told > 0
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let full = Self {
            shell,
            app_name: "Larkspur Books",
            sign_in_url: "/sign-in?i=sample",
            sessions_ended: 3,
            apps_told: 2,
            apps_hold: Wait::new(Duration::from_secs(3_600)),
        };
        let with = |sessions_ended, apps_told, apps_hold| Self {
            sessions_ended,
            apps_told,
            apps_hold,
            ..full.clone()
        };
        vec![
            ("receipt", full.clone()),
            ("one", with(1, 1, full.apps_hold)),
            ("nobody-told", with(1, 0, Wait::new(Duration::from_secs(900)))),
            ("no-session", with(0, 0, full.apps_hold)),
            ("none-open", with(0, 0, None)),
        ]
    }
}
