//! The first page of the companion in the demo: what runs here, and where to look.

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "demo/demo_welcome.html")]
pub struct DemoWelcome<'a> {
    pub shell: Shell<'a>,
    pub site_url: &'a str,
    /// The account the demo made, as it is typed.
    pub account: &'a str,
}

impl<'a> DemoWelcome<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        vec![(
            "welcome",
            Self {
                shell,
                site_url: "http://localhost:9000",
                account: "ada@example.com",
            },
        )]
    }
}
