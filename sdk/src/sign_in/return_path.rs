//! Where the person goes after the sign-in: a path of this site, and nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

const LONGEST: usize = 1024;

/// A path of the application's own origin, such as `/orders?page=2`.
///
/// It is safe in a `Location` header: it begins with one slash, cannot name another host in any browser, and
/// holds no control characters.
///
/// ```
/// use keyback::ReturnPath;
///
/// assert_eq!(ReturnPath::parse("/orders?page=2").unwrap().as_str(), "/orders?page=2");
/// assert_eq!(ReturnPath::parse("/bücher").unwrap().as_str(), "/b%C3%BCcher");
/// for elsewhere in ["https://evil.example/", "//evil.example", "/\\evil.example", "/.//evil.example", "orders"] {
///     assert!(ReturnPath::parse(elsewhere).is_err());
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnPath(String);

/// Why a text is no path of this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReturnPathError {
    /// It does not begin with exactly one slash.
    #[error("it must begin with exactly one slash")]
    NotAPath,
    /// It has control characters, white space or a backslash, which browsers read as a slash.
    #[error("it has a control character, white space or a backslash")]
    Character,
    /// Resolved as a browser does, it may leave this site.
    #[error("it may lead to another site")]
    Elsewhere,
    /// It is longer than 1024 bytes.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

impl ReturnPath {
    /// Accepts a path with an optional query and fragment.
    ///
    /// # Errors
    ///
    /// When a browser could take it for anything but a path of this site.
    pub fn parse(text: &str) -> Result<Self, ReturnPathError> {
        if text.len() > LONGEST {
            return Err(ReturnPathError::TooLong);
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(ReturnPathError::NotAPath);
        };
        if rest.starts_with(['/', '\\']) {
            return Err(ReturnPathError::NotAPath);
        }
        if text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
        {
            return Err(ReturnPathError::Character);
        }
        // Frameworks that decode once more would make `/%2Fhost` a `//host`.
        let start = rest.get(..3).map(str::to_ascii_lowercase).unwrap_or_default();
        if start == "%2f" || start == "%5c" {
            return Err(ReturnPathError::Elsewhere);
        }
        if !stays_here(text) {
            return Err(ReturnPathError::Elsewhere);
        }
        Ok(Self(to_ascii(text)))
    }

    /// The path as it goes into a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-encodes what is not ASCII (RFC 3987 3.1): a header holds nothing else.
fn to_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let mut bytes = [0; 4];
            let encoded = character
                .encode_utf8(&mut bytes)
                .bytes()
                .map(|byte| format!("%{byte:02X}"));
            ascii.extend(encoded);
        }
    }
    ascii
}

/// The start page.
impl Default for ReturnPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl fmt::Debug for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = ReturnPathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ReturnPath> for String {
    fn from(path: ReturnPath) -> Self {
        path.0
    }
}

/// Resolves the path as a browser does, dot segments included: `/.//host` has the path `//host`.
fn stays_here(text: &str) -> bool {
    let Ok(site) = Url::parse("https://site.invalid/") else {
        return false;
    };
    site.join(text)
        .is_ok_and(|url| url.origin() == site.origin() && !url.path().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_pass_unchanged() {
        for path in [
            "/",
            "/orders",
            "/orders?page=2&sort=a%2Fb#top",
            "/a//b",
            "/a/../b",
            "/@user",
            "/x:y",
        ] {
            assert_eq!(ReturnPath::parse(path).map(String::from).as_deref(), Ok(path));
        }
    }

    /// SR-71.
    #[test]
    fn ways_to_another_site_are_refused() {
        use ReturnPathError::{Character, Elsewhere, NotAPath, TooLong};
        let long = format!("/{}", "a".repeat(LONGEST));
        for (text, error) in [
            ("", NotAPath),
            ("orders", NotAPath),
            ("https://evil.example/", NotAPath),
            ("javascript:alert(1)", NotAPath),
            ("//evil.example", NotAPath),
            ("///evil.example", NotAPath),
            ("/\\evil.example", NotAPath),
            ("\\/evil.example", NotAPath),
            (" /orders", NotAPath),
            ("/\t/evil.example", Character),
            ("/\n/evil.example", Character),
            ("/a\\..\\evil", Character),
            ("/a\r\nset-cookie:x=1", Character),
            ("/a\u{0}b", Character),
            ("/a\u{85}b", Character),
            ("/%2Fevil.example", Elsewhere),
            ("/%5cevil.example", Elsewhere),
            ("/.//evil.example", Elsewhere),
            ("/a/..//evil.example", Elsewhere),
            ("/%2e//evil.example", Elsewhere),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(ReturnPath::parse(text), Err(error), "{text:?}");
        }
    }
}
