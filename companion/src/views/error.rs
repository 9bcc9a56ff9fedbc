//! What a visitor reads when a page cannot be shown: whose fault, and what to do. Never a source, never an echo (SR-68).

use std::time::Duration;

use askama::Template;

use super::shell::Shell;
use super::wait::Wait;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/error.html")]
pub struct ErrorPage<'a> {
    pub shell: Shell<'a>,
    pub kind: Kind<'a>,
    /// The way on, such as back to the app.
    pub way_on: Option<WayOn<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct WayOn<'a> {
    pub url: &'a str,
    pub text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `detail` is ours, such as "redirect_uri is missing": never what the request said.
    BadRequest {
        detail: Option<&'a str>,
    },
    /// `detail` is ours, as above.
    UnknownClient {
        detail: &'a str,
    },
    UnknownSession,
    /// Sec-Fetch-Site or Origin say that the form stood on another site (SR-66).
    OtherOrigin,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    /// The Host header is not that of the public URL.
    OtherHost,
    TooManyRequests {
        wait: Wait,
    },
    Failure {
        event_id: &'a str,
    },
    Unavailable {
        event_id: &'a str,
        wait: Wait,
    },
}

impl Kind<'_> {
    /// The status this page travels with.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest { .. } | Self::UnknownClient { .. } | Self::UnknownSession => 400,
            Self::OtherOrigin => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::OtherHost => 421,
            Self::TooManyRequests { .. } => 429,
            Self::Failure { .. } => 500,
            Self::Unavailable { .. } => 503,
        }
    }
}

impl<'a> ErrorPage<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let wait = Wait::at_least_a_second(Duration::from_secs(30));
        let app = Some(WayOn {
            url: "https://books.example.com/",
            text: "Back to Larkspur Books",
        });
        let page = |kind: Kind<'a>, way_on: Option<WayOn<'a>>| Self { shell, kind, way_on };
        vec![
            (
                "bad-request",
                page(
                    Kind::BadRequest {
                        detail: Some("redirect_uri is missing"),
                    },
                    app,
                ),
            ),
            (
                "bad-request-sentence",
                page(
                    Kind::BadRequest {
                        detail: Some("The sign-out request is too long."),
                    },
                    None,
                ),
            ),
            ("bad-request-plain", page(Kind::BadRequest { detail: None }, None)),
            (
                "unknown-client",
                page(
                    Kind::UnknownClient {
                        detail: "its client_id is not that of an app here",
                    },
                    None,
                ),
            ),
            ("unknown-session", page(Kind::UnknownSession, app)),
            ("other-origin", page(Kind::OtherOrigin, None)),
            ("not-found", page(Kind::NotFound, None)),
            ("method-not-allowed", page(Kind::MethodNotAllowed, None)),
            ("too-large", page(Kind::TooLarge, None)),
            ("other-host", page(Kind::OtherHost, None)),
            ("too-many-requests", page(Kind::TooManyRequests { wait }, None)),
            (
                "failure",
                page(
                    Kind::Failure {
                        event_id: "7f3a-91c2",
                    },
                    app,
                ),
            ),
            (
                "unavailable",
                page(
                    Kind::Unavailable {
                        event_id: "7f3a-91c2",
                        wait,
                    },
                    app,
                ),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Brand, Theme};
    use super::*;

    #[test]
    fn a_detail_ends_with_one_full_stop_however_it_came() {
        let theme = Theme::new(Brand {
            name: "Larkspur Books".to_owned(),
            color: "#2f5bea".parse().unwrap(),
            logo: None,
        });
        for detail in ["redirect_uri is missing", "redirect_uri is missing."] {
            let page = ErrorPage {
                shell: Shell::english(&theme),
                kind: Kind::BadRequest { detail: Some(detail) },
                way_on: None,
            };
            let html = page.render().unwrap();
            assert!(
                html.contains("For the app’s developer: redirect_uri is missing.</p>"),
                "{detail}"
            );
        }
    }
}
