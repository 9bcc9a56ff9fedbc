//! The captcha's place in a form. Its script fills it; without a script it stays empty, and the form says what follows.

/// A captcha to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widget<'a> {
    pub script_url: &'a str,
    /// What the script looks for.
    pub class: &'a str,
    pub site_key: &'a str,
    pub action: &'a str,
}

impl Widget<'_> {
    /// One whose script is never there: the gallery shows the page around it.
    pub(super) const SAMPLE: Self = Self {
        script_url: "/no-captcha.js",
        class: "captcha",
        site_key: "site-key",
        action: "keyback_send",
    };
}
