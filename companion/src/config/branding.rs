//! `[branding]`: the name and colour the pages and mails wear.

use serde::{Deserialize, Serialize};

use super::Problems;

/// `[branding]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrandingConfig {
    /// The site's name, where an app has none of its own.
    pub name: String,
    /// The one colour from which the tints are mixed, as `#rrggbb`.
    pub color: String,
}

impl Default for BrandingConfig {
    fn default() -> Self {
        Self { name: "Keyback".to_owned(), color: "#2f5bea".to_owned() }
    }
}

impl BrandingConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let digits = self.color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            problems.add("[branding] color", "must be #rrggbb, such as #2f5bea");
        }
        if self.name.trim().is_empty() || self.name.len() > 100 || self.name.chars().any(char::is_control) {
            problems.add("[branding] name", "must be 1 to 100 characters without line ends");
        }
    }
}
