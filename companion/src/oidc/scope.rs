//! Scopes (RFC 6749 3.3, OIDC Core 5.4).

use std::fmt;

use serde::{Deserialize, Serialize};

pub const OPENID: &str = "openid";
pub const OFFLINE_ACCESS: &str = "offline_access";
pub const PROFILE: &str = "profile";
pub const EMAIL: &str = "email";
pub const PHONE: &str = "phone";
pub const ADDRESS: &str = "address";

/// The scopes that every app may ask for.
pub const STANDARD: [&str; 6] = [OPENID, OFFLINE_ACCESS, PROFILE, EMAIL, PHONE, ADDRESS];

/// Scopes of one request at most.
const MOST: usize = 100;

/// A list of scopes in the order they were asked, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub struct Scopes(Vec<String>);

/// A scope holds a character outside RFC 6749 3.3, or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAScope;

impl Scopes {
    /// Reads a `scope` parameter.
    pub fn parse(text: &str) -> Result<Self, NotAScope> {
        let legal = |c: char| matches!(c, '\u{20}'..='\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        let few = text.split(' ').nth(MOST).is_none();
        if few && text.chars().all(legal) {
            Ok(Self::from(text.to_owned()))
        } else {
            Err(NotAScope)
        }
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The scopes that are also allowed by `keep`.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }
}

impl From<String> for Scopes {
    /// Reads what [`fmt::Display`] wrote.
    fn from(text: String) -> Self {
        let mut scopes: Vec<String> = Vec::new();
        for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
            if !scopes.iter().any(|own| own == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Self(scopes)
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_3_scopes_are_words_each_once() {
        let scopes = Scopes::parse("openid  email openid").unwrap();
        assert_eq!(scopes.to_string(), "openid email");
        assert_eq!(Scopes::parse("a\"b"), Err(NotAScope));
        assert_eq!(Scopes::parse("é"), Err(NotAScope));
        assert_eq!(Scopes::parse(&"a ".repeat(101)), Err(NotAScope));
        assert!(Scopes::parse(" ").unwrap().is_empty());
    }
}
