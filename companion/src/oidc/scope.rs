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
        let is_legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let is_few = text.len() < MOST || text.bytes().filter(|byte| *byte == b' ').count() < MOST;
        if is_few && text.bytes().fold(true, |legal, byte| legal & is_legal(byte)) {
            Ok(Self::joined(words(text).filter(|scope| keep(scope))))
        } else {
            Err(NotAScope)
        }
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|own| own == scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        words(&self.0)
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
        let mut marks = 0_u64;
        for scope in scopes {
            // Most scopes of a list differ in what is seen at a glance.
            let mark = mark(scope);
            if marks & mark != 0 && list.contains(scope) {
                continue;
            }
            marks |= mark;
            if !list.is_empty() {
                list.0.push(' ');
            }
            list.0.push_str(scope);
        }
        list
    }
}

/// The words of a text between its spaces: as `str::split` gives them, but for empty ones, and in fewer steps for short ones.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let next = move || {
        let (word, behind) = match rest.bytes().position(|byte| byte == b' ') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        let is_over = rest.is_empty();
        rest = behind;
        (!is_over).then_some(word)
    };
    std::iter::from_fn(next).filter(|word| !word.is_empty())
}

/// One of 64 bits for a scope. Those of [`STANDARD`] have one each.
fn mark(scope: &str) -> u64 {
    let first = scope.bytes().next().map_or(0, usize::from);
    1 << ((scope.len() * 3 + first) % 64)
}

impl From<&str> for Scopes {
    /// Reads what [`fmt::Display`] wrote.
    fn from(text: &str) -> Self {
        Self::joined(words(text))
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
        let marks = STANDARD.into_iter().fold(0, |marks, scope| marks | mark(scope));
        assert_eq!(marks.count_ones() as usize, STANDARD.len());
    }

    #[test]
    fn rfc6749_3_3_scopes_are_words_each_once() {
        let scopes = Scopes::parse("openid  email openid").unwrap();
        assert_eq!(scopes.to_string(), "openid email");
        // Two that are told apart only by a second look, and come again.
        assert_eq!(mark("read:a"), mark("read:b"));
        let alike = Scopes::parse("read:a read:b read:a  read:b ").unwrap();
        assert_eq!(alike.as_str(), "read:a read:b");
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
