//! `[branding]`: the name and colour the pages and mails wear.

use serde::{Deserialize, Serialize};

use super::Problems;
use crate::views::color::Color;

/// `[branding]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrandingConfig {
    /// The site's name, where an app has none of its own.
    pub name: String,
    /// The one colour from which the tints are mixed, as `#rrggbb`.
    #[serde(with = "color_text")]
    pub color: Color,
}

impl Default for BrandingConfig {
    fn default() -> Self {
        Self { name: "Keyback".to_owned(), color: Color { red: 0x2f, green: 0x5b, blue: 0xea } }
    }
}

impl BrandingConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.name.trim().is_empty() || self.name.len() > 100 || self.name.chars().any(char::is_control) {
            problems.add("[branding] name", "must be 1 to 100 characters without line ends");
        }
    }
}

mod color_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::views::color::Color;

    pub(super) fn serialize<S: Serializer>(color: &Color, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(color)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Color, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("must be #rrggbb, such as #2f5bea"))
    }
}
