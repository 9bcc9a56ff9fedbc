//! The style sheet and the script of a page, one of each, inline, each allowed by its own hash (SR-67).

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::theme::Tokens;

/// The script of our pages, but for the one that posts an answer to the app. Pages work without it: it ticks, reveals,
/// measures and guards against the double click.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(condense_script(include_str!("../../templates/assets/script.js"))));

/// The script of the page that posts an answer to the app, which old engines can read.
pub static SEND_BACK_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(condense_script(include_str!(
        "../../templates/assets/send_back.js"
    )))
});

/// The style sheet of the demo's shop, which is somebody else's site and looks like it.
pub static DEMO_STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(condense_style(include_str!("../../templates/assets/demo.css"))));

/// Text that stands inline in a page, and the source expression that allows exactly it.
#[derive(Debug)]
pub struct Asset {
    text: String,
    csp: String,
}

impl Asset {
    fn new(text: String) -> Self {
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let csp = format!("'sha256-{}'", STANDARD.encode(hash));
        Self { text, csp }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// For `style-src` or `script-src`: `'sha256-…'`, with its quotes.
    pub fn csp(&self) -> &str {
        &self.csp
    }
}

/// The pages' style sheet with the colours of both schemes.
pub(super) fn style(light: &Tokens, dark: &Tokens) -> Asset {
    let rules = condense_style(include_str!("../../templates/assets/style.css"));
    let (light, dark) = (light.css(), dark.css());
    Asset::new(format!(
        ":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{rules}"
    ))
}

/// Drops comments and indentation. Every line of the source ends where a token ends, so lines may join.
fn condense_style(source: &str) -> String {
    let mut rest = source;
    let mut css = String::with_capacity(source.len());
    while let Some((before, after)) = rest.split_once("/*") {
        css.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    css.push_str(rest);
    css.lines().map(str::trim).collect()
}

/// Drops indentation and the lines that are comments; line ends stay, since a statement may end there.
fn condense_script(source: &str) -> String {
    let lines = source
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_condensed_and_hashed() {
        assert_eq!(
            condense_style("/* a */\nb {\n  c:d;\n}\n/* e\n f */g{}"),
            "b {c:d;}g{}"
        );
        assert_eq!(condense_script("// a\nb;\n\n  c;\n"), "b;\nc;");
        let abc = Asset::new("abc".to_owned());
        assert_eq!(abc.csp(), "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
    }

    /// The Foundation's suite drives HtmlUnit, whose engine leaves a script unread where one word of it is too new.
    #[test]
    fn form_post_2_the_answer_is_sent_on_by_a_script_that_old_engines_read() {
        let script = SEND_BACK_SCRIPT.text();
        assert!(script.contains(".submit()"));
        for new in [
            "=>", "`", "...", "?.", "??", "let ", "const ", "class ", "async", "await", "catch {",
        ] {
            assert!(!script.contains(new), "{new}");
        }
    }

    /// An inline element ends at the first `</`, wherever it stands.
    #[test]
    fn assets_cannot_end_their_element() {
        for asset in [&*SCRIPT, &*SEND_BACK_SCRIPT, &*DEMO_STYLE] {
            assert!(!asset.text().contains("</"));
        }
    }
}
