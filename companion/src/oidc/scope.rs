//! Scopes (RFC 6749 3.3, OIDC Core 5.4).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub const OPENID: &str = "openid";
pub const OFFLINE_ACCESS: &str = "offline_access";
pub const PROFILE: &str = "profile";
pub const EMAIL: &str = "email";
pub const PHONE: &str = "phone";
pub const ADDRESS: &str = "address";

/// The scopes that every app may ask for.
pub const STANDARD: [&str; 6] = [OPENID, OFFLINE_ACCESS, PROFILE, EMAIL, PHONE, ADDRESS];

/// Whether a scope is one of [`STANDARD`].
pub fn is_standard(scope: &str) -> bool {
    matches!(scope, OPENID | OFFLINE_ACCESS | PROFILE | EMAIL | PHONE | ADDRESS)
}

/// Scopes of one request at most.
const MOST: usize = 100;

/// A list of scopes in the order they were asked, each once: one text, with a space between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(#[serde(deserialize_with = "each_once")] String);

/// A scope holds a character outside RFC 6749 3.3, or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAScope;

impl Scopes {
    /// Reads a `scope` parameter.
    pub fn parse(text: &str) -> Result<Self, NotAScope> {
        Self::parse_some(text, |_| true)
    }

    /// Reads those of a `scope` parameter that `keep` allows.
    pub fn parse_some(text: &str, keep: impl Fn(&str) -> bool) -> Result<Self, NotAScope> {
        let legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let few = text.bytes().filter(|byte| *byte == b' ').count() < MOST;
        if few && text.bytes().all(legal) {
            Ok(Self::joined(text.split(' ').filter(|scope| keep(scope))))
        } else {
            Err(NotAScope)
        }
    }

    pub fn contains(&self, scope: &str) -> bool {
        // As bytes, which are split quicker than text. Of an empty text one empty scope is split.
        let mut all = self.0.as_bytes().split(|byte| *byte == b' ');
        !scope.is_empty() && all.any(|own| own == scope.as_bytes())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        // Of an empty text one empty scope would be split.
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The list as a `scope` parameter has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes that are also allowed by `keep`.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self::joined(self.iter().filter(|scope| keep(scope)))
    }

    fn joined<'s>(scopes: impl Iterator<Item = &'s str>) -> Self {
        let mut list = Self(String::with_capacity(64));
        for scope in scopes.filter(|scope| !scope.is_empty()) {
            if list.contains(scope) {
                continue;
            }
            if !list.is_empty() {
                list.0.push(' ');
            }
            list.0.push_str(scope);
        }
        list
    }
}

impl From<&str> for Scopes {
    /// Reads what [`fmt::Display`] wrote.
    fn from(text: &str) -> Self {
        Self::joined(text.split(' '))
    }
}

impl From<String> for Scopes {
    /// Reads what [`fmt::Display`] wrote.
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn each_once<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Ok(Scopes::from(String::deserialize(text)?).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_scopes_are_those_that_discovery_tells() {
        assert!(STANDARD.into_iter().all(is_standard));
        assert!(!is_standard("openid email") && !is_standard(""));
    }

    #[test]
    fn rfc6749_3_3_scopes_are_words_each_once() {
        let scopes = Scopes::parse("openid  email openid").unwrap();
        assert_eq!(scopes.to_string(), "openid email");
        assert_eq!(Scopes::parse("a\"b"), Err(NotAScope));
        assert_eq!(Scopes::parse("é"), Err(NotAScope));
        assert_eq!(Scopes::parse(&"a ".repeat(101)), Err(NotAScope));
        assert!(Scopes::parse(" ").unwrap().is_empty());
        assert_eq!(Scopes::parse(" ").unwrap().iter().count(), 0);
        let read: Scopes = serde_json::from_str("\"a b  a\"").unwrap();
        assert_eq!(read.to_string(), "a b");
        assert_eq!(scopes.filter(|scope| scope == "email").as_str(), "email");
        assert_eq!(
            Scopes::parse_some("openid x email", |scope| scope != "x"),
            Ok(scopes)
        );
    }
}
