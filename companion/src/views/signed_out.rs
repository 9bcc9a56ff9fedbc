//! The end of a session.

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/signed_out.html")]
pub struct SignedOut<'a> {
    pub shell: Shell<'a>,
    pub sign_in_url: Option<&'a str>,
}

impl<'a> SignedOut<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        vec![
            (
                "with-sign-in",
                Self {
                    shell,
                    sign_in_url: Some("/account"),
                },
            ),
            (
                "plain",
                Self {
                    shell,
                    sign_in_url: None,
                },
            ),
        ]
    }
}
