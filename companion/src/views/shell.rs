//! What pages share: the brand, the language and its direction, the script.

use askama::Template;

use super::assets::SCRIPT;
use super::theme::Theme;

/// The frame around a page.
#[derive(Clone, Copy, Debug)]
pub struct Shell<'a> {
    pub theme: &'a Theme,
    /// BCP 47, for `<html lang>`.
    pub lang: &'a str,
    pub direction: Direction,
}

/// Which way the language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    LeftToRight,
    RightToLeft,
}

impl<'a> Shell<'a> {
    pub fn english(theme: &'a Theme) -> Self {
        Self {
            theme,
            lang: "en",
            direction: Direction::LeftToRight,
        }
    }

    pub(super) fn dir(&self) -> &'static str {
        match self.direction {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }

    pub(super) fn style(&self) -> &str {
        self.theme.style().text()
    }

    pub(super) fn script(&self) -> &'static str {
        SCRIPT.text()
    }
}

/// What all pages begin with.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "pages/_head.html")]
pub struct Head<'a> {
    pub shell: Shell<'a>,
}

/// What pages end with, but for the one that posts an answer to the app.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "pages/_foot.html")]
pub struct Foot<'a> {
    pub shell: Shell<'a>,
}
