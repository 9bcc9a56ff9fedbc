//! The end of a reset: a receipt, and the way to the sign-in.

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/done.html")]
pub struct Done<'a> {
    pub shell: Shell<'a>,
    /// The app the sign-in leads to.
    pub app_name: &'a str,
    pub sign_in_url: &'a str,
    /// Sessions that were ended; none where the backend does not say.
    pub sessions_ended: Option<u32>,
    /// Apps that are being told (webhook, back-channel logout); none where there is nobody to tell.
    pub apps_told: Option<u32>,
}

impl<'a> Done<'a> {
    /// Whether there is anything to list.
    fn has_receipt(&self) -> bool {
        self.sessions_ended.is_some_and(|count| count > 0) || self.apps_told.is_some()
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let full = Self {
            shell,
            app_name: "Larkspur Books",
            sign_in_url: "/sign-in?i=sample",
            sessions_ended: Some(3),
            apps_told: Some(2),
        };
        vec![
            ("receipt", full.clone()),
            (
                "one",
                Self {
                    sessions_ended: Some(1),
                    apps_told: Some(1),
                    ..full.clone()
                },
            ),
            (
                "none-open",
                Self {
                    sessions_ended: Some(0),
                    apps_told: None,
                    ..full.clone()
                },
            ),
            (
                "unknown",
                Self {
                    sessions_ended: None,
                    apps_told: None,
                    ..full
                },
            ),
        ]
    }
}
