//! The page that posts an answer to the app (OAuth 2.0 Form Post Response Mode 1.0). With its own
//! script nobody sees it.

use askama::Template;

use super::assets::SEND_BACK_SCRIPT;
use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/send_back.html")]
pub struct SendBack<'a> {
    pub shell: Shell<'a>,
    /// The app's redirect URI.
    pub action: &'a str,
    /// Its host: where the visitor goes on to.
    pub host: &'a str,
    pub fields: &'a [(&'static str, String)],
}

impl<'a> SendBack<'a> {
    fn script(&self) -> &'static str {
        SEND_BACK_SCRIPT.text()
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let waiting = Self {
            shell,
            action: "https://books.example.com/callback",
            host: "books.example.com",
            fields: &[],
        };
        vec![("waiting", waiting)]
    }
}
