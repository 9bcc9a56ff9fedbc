//! The end of a session.

use askama::Template;

use super::error::WayOn;
use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/signed_out.html")]
pub struct SignedOut<'a> {
    pub shell: Shell<'a>,
    /// What the visitor was using: the app that signed them out, or the house itself.
    pub from: &'a str,
    /// The way back there.
    pub way_on: Option<WayOn<'a>>,
}

impl<'a> SignedOut<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let way = |url, text| Some(WayOn { url, text });
        let with = |from, way_on| Self { shell, from, way_on };
        vec![
            (
                "with-sign-in",
                with("Larkspur Books", way("/sign-in", "Sign in again")),
            ),
            (
                "by-app",
                with(
                    "A reading app",
                    way("https://reading.example.net/", "Back to A reading app"),
                ),
            ),
            ("plain", with("A program on your device", None)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Brand, Theme};
    use super::*;

    /// SR-70: an app chooses its name.
    #[test]
    fn sr70_what_an_app_is_called_stays_text() {
        let theme = Theme::new(Brand {
            name: "Larkspur Books".to_owned(),
            color: "#2f5bea".parse().unwrap(),
            logo: None,
        });
        let hostile = "\"><script>alert('1')</script>";
        let page = SignedOut {
            shell: Shell::english(&theme),
            from: hostile,
            way_on: Some(WayOn {
                url: "https://app.example/?x=\"><script>",
                text: hostile,
            }),
        };
        let html = page.render().unwrap();
        assert!(
            !html.contains(hostile) && !html.contains("x=\"><script>"),
            "{html}"
        );
    }
}
