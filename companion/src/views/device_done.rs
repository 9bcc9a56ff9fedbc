//! The end of a device's sign-in in the browser: the rest happens on the device.

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/device_done.html")]
pub struct DeviceDone<'a> {
    pub shell: Shell<'a>,
    pub outcome: Outcome,
}

/// What the person has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Denied,
}

impl<'a> DeviceDone<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let with = |outcome| Self { shell, outcome };
        vec![
            ("allowed", with(Outcome::Allowed)),
            ("denied", with(Outcome::Denied)),
        ]
    }
}
