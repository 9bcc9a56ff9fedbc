//! What a visitor types to say who they are: an e-mail address or a phone number, in one normal form.
//!
//! The normal form, which is also the one that accounts are found by (SR-10, SR-11, SR-12):
//!
//! 1. Spaces and tabs around the text are dropped; any other control character anywhere refuses it.
//! 2. With an `@` it is an e-mail address of at most 254 bytes: one `local@domain`, nothing around it.
//!    - The local part is a dot-atom of ASCII (RFC 5321 section 4.1.2), at most 64 bytes, lower-cased. Quoted local
//!      parts and those beyond ASCII are refused: the first are where headers are smuggled, the second collide by case.
//!    - The domain has two labels or more and is brought to its ASCII form by UTS 46. A label typed with characters
//!      beyond ASCII must come out as an `xn--` label: what merely looks like, or folds into, an ASCII domain is
//!      refused (fullwidth letters, the Kelvin sign, soft hyphens), and a look-alike keeps its own `xn--` name.
//! 3. Without an `@` it is a phone number, and its normal form is E.164: see [`crate::phone`].
//!
//! To parse a normal form gives it back unchanged.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::phone::PhoneNumber;
use crate::phone::Region;

/// The longest e-mail address in bytes: a forward path of 256 less its brackets (RFC 5321 section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;
/// The longest local part in bytes (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// An e-mail address or a phone number, normalised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Identifier {
    /// An e-mail address.
    Email(EmailAddress),
    /// A phone number.
    Phone(PhoneNumber),
}

/// An e-mail address in normal form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Which of the two an identifier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKind {
    /// Reached by e-mail.
    Email,
    /// Reached by SMS.
    Phone,
}

/// What was typed is no identifier. It says nothing about any account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedIdentifier {
    /// Nothing was typed.
    #[error("no e-mail address or phone number given")]
    Empty,
    /// Longer than any address.
    #[error("too long for an e-mail address or phone number")]
    TooLong,
    /// It has an `@` but is no address.
    #[error("not an e-mail address")]
    Email,
    /// It has no `@` and is no number of any numbering plan, or lacks the country code that nothing else tells.
    #[error("not a phone number that is in use, or without its country code")]
    Phone,
}

impl Identifier {
    /// Reads an e-mail address, or a phone number with its country code.
    pub fn parse(text: &str) -> Result<Self, MalformedIdentifier> {
        Self::parse_in(None, text)
    }

    /// Reads what was typed: a phone number without a country code is one of `region`.
    pub fn parse_in(region: Option<Region>, text: &str) -> Result<Self, MalformedIdentifier> {
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() {
            Err(MalformedIdentifier::Empty)
        } else if text.contains('@') {
            EmailAddress::parse(text).map(Self::Email)
        } else {
            PhoneNumber::parse_in(region, text).map(Self::Phone)
        }
    }

    /// Reads a normal form that rests in the store. The numbering plans are not asked again: they change, and what was
    /// a number when it came must not turn into none.
    pub fn from_normal_form(text: &str) -> Result<Self, MalformedIdentifier> {
        if text.contains('@') {
            EmailAddress::parse(text).map(Self::Email)
        } else {
            PhoneNumber::from_e164(text).map(Self::Phone)
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }

    /// As people read it: a number in groups, `+1 415-555-0123`; an address as it is.
    pub fn shown(&self) -> String {
        match self {
            Self::Email(address) => address.as_str().to_owned(),
            Self::Phone(number) => number.international(),
        }
    }

    /// E-mail or phone.
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Email(_) => IdentifierKind::Email,
            Self::Phone(_) => IdentifierKind::Phone,
        }
    }
}

impl EmailAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, MalformedIdentifier> {
        let text = text.trim_matches([' ', '\t']);
        if text.len() > MAX_EMAIL {
            return Err(MalformedIdentifier::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(MalformedIdentifier::Email)?;
        if !is_dot_atom(local) || local.len() > MAX_LOCAL_PART {
            return Err(MalformedIdentifier::Email);
        }
        let domain = ascii_domain(domain).ok_or(MalformedIdentifier::Email)?;
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        // An `xn--` label is longer than what was typed.
        if address.len() > MAX_EMAIL {
            Err(MalformedIdentifier::TooLong)
        } else {
            Ok(Self(address))
        }
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last two labels of its domain, which is what somebody registers, as a rule: below `co.uk` and its like it is too
    /// much.
    pub fn registered_domain(&self) -> &str {
        let mut ends = self.0.rmatch_indices(['.', '@']);
        ends.nth(1).map_or("", |(at, _)| &self.0[at + 1..])
    }
}

/// `Dot-string` of RFC 5321 section 4.1.2: atoms of ASCII with single dots between them.
fn is_dot_atom(text: &str) -> bool {
    let is_atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn ascii_domain(typed: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(typed).ok()?;
    // UTS 46 also maps characters onto ASCII and onto dots. Whoever owns `example.com` must not be reachable, nor be
    // taken for reached, by a text that only folds into that name.
    let kept_apart = typed.split('.').count() == domain.split('.').count()
        && typed
            .split('.')
            .zip(domain.split('.'))
            .all(|(typed, label)| typed.is_ascii() || label.starts_with("xn--"));
    let last = domain.rsplit('.').next()?;
    let is_name = domain.contains('.') && !last.bytes().all(|byte| byte.is_ascii_digit());
    (kept_apart && is_name).then_some(domain)
}

macro_rules! as_text {
    ($name:ident, $read:ident) => {
        impl TryFrom<String> for $name {
            type Error = MalformedIdentifier;

            fn try_from(text: String) -> Result<Self, MalformedIdentifier> {
                Self::$read(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        /// Logs hold no address and no number (SR-31).
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

as_text!(Identifier, from_normal_form);
as_text!(EmailAddress, parse);
as_text!(PhoneNumber, from_e164);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        Identifier::parse(text).unwrap().as_str().to_owned()
    }

    proptest! {
        /// SR-11: one idempotent normal form.
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,80}") {
            if let Ok(identifier) = Identifier::parse(&text) {
                prop_assert_eq!(Identifier::parse(identifier.as_str()).unwrap(), identifier);
            }
        }

        #[test]
        fn mail_addresses_come_out_lower_case(local in "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}", domain in "[A-Za-z0-9]{1,40}") {
            let typed = format!("{local}@{domain}.Example");
            let address = EmailAddress::parse(&typed).unwrap();
            prop_assert_eq!(address.as_str(), typed.to_ascii_lowercase());
            prop_assert_eq!(EmailAddress::parse(address.as_str()).unwrap(), address);
        }

        /// SR-12: nothing that could end a header or an SMTP command gets through.
        #[test]
        fn normal_forms_hold_no_dangerous_character(text in "(?s).{0,40}", at in 0_usize..40, tail in "@[a-z\u{0}-\u{20}.]{1,12}") {
            let cut = text.char_indices().nth(at).map_or(text.len(), |(index, _)| index);
            for candidate in [text.clone(), format!("{}{tail}", &text[..cut])] {
                if let Ok(identifier) = Identifier::parse(&candidate) {
                    prop_assert!(identifier.as_str().bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:\"()[]\\".contains(&byte)));
                    prop_assert!(identifier.as_str().len() <= MAX_EMAIL);
                }
            }
        }
    }

    /// What looks like a domain that it is not is shown by its own name.
    #[test]
    fn sr11_a_domain_beyond_ascii_is_shown_as_it_is_sent_to() {
        let shown = |typed: &str| Identifier::parse(typed).unwrap().shown();
        assert_eq!(shown("ada@bücher.example"), "ada@xn--bcher-kva.example");
        // Cyrillic through and through: no mixture of scripts gives it away.
        assert_eq!(shown("ada@аррӏе.example"), "ada@xn--80ak6aa92e.example");
    }

    #[test]
    fn what_people_type_is_understood() {
        assert_eq!(normal(" Ada.Lovelace@Example.COM\t"), "ada.lovelace@example.com");
        assert_eq!(
            normal("ada+reset@mail.example.co.uk"),
            "ada+reset@mail.example.co.uk"
        );
        assert_eq!(normal("ada@bücher.example"), "ada@xn--bcher-kva.example");
        assert_eq!(normal("ada@XN--Bcher-KVA.example"), "ada@xn--bcher-kva.example");
        assert_eq!(normal("+49 (170) 123-45.67"), "+491701234567");
        assert_eq!(
            Identifier::parse("+491701234567").unwrap().kind(),
            IdentifierKind::Phone
        );
        assert_eq!(Identifier::parse("").unwrap_err(), MalformedIdentifier::Empty);
    }

    #[test]
    fn malformed_mail_addresses_are_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "@",
            "a@",
            "@b.example",
            "a@b",
            "a@@b.example",
            "a b@c.example",
            "a@b c.example",
            "a@b.example.",
            "a@b.example,c@d.example",
            "Ada <ada@b.example>",
            "<ada@b.example>",
            "\"a b\"@c.example",
            "a..b@c.example",
            ".a@c.example",
            "a.@c.example",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@-b.example",
            "a@b_c.example",
            "é@b.example",
            "a@b.example\r\nBcc: c@d.example",
            "a\0@b.example",
            "a@b.exa\0mple",
            "a@b.example\n",
            "a@b%0a.example",
            &long,
        ] {
            assert!(Identifier::parse(text).is_err(), "{text:?}");
        }
    }

    /// SR-10: 254 bytes are an address, 255 are not.
    #[test]
    fn length_is_counted_in_bytes() {
        let domain = format!("{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(61));
        let longest = format!("{}@{domain}", "a".repeat(64));
        assert_eq!(longest.len(), 254);
        assert!(EmailAddress::parse(&longest).is_ok());
        assert_eq!(
            EmailAddress::parse(&format!("{longest}d")),
            Err(MalformedIdentifier::TooLong)
        );
    }

    /// SR-11: look-alikes and characters that fold into ASCII are never the address they resemble.
    #[test]
    fn confusable_addresses_never_match() {
        for text in [
            "ada@ｅxample.com",       // fullwidth e
            "ada@\u{212a}eyback.com", // Kelvin sign, which lower-cases to k
            "ada@exam\u{ad}ple.com",  // soft hyphen, which UTS 46 drops
            "ada@b\u{fc}cher\u{3002}com",
            "ada@example\u{3002}com", // ideographic full stop
            "ada@example.c\u{2134}m", // script small o
            "ad\u{430}@example.com",  // Cyrillic a in the local part
            "\u{131}da@example.com",  // dotless i
        ] {
            assert!(Identifier::parse(text).is_err(), "{text:?}");
        }
        let latin = normal("ada@paypal.example");
        assert_ne!(
            normal("ada@p\u{430}ypal.example"),
            latin,
            "a Cyrillic a keeps its own name"
        );
    }

    /// SR-31.
    #[test]
    fn debug_shows_no_address() {
        let identifier = Identifier::parse("ada@example.com").unwrap();
        assert_eq!(format!("{identifier:?}"), "Identifier(redacted)");
    }

    #[test]
    fn what_rests_comes_back() {
        let identifier = Identifier::parse("Ada@Example.com").unwrap();
        let json = serde_json::to_string(&identifier).unwrap();
        assert_eq!(json, "\"ada@example.com\"");
        assert_eq!(serde_json::from_str::<Identifier>(&json).unwrap(), identifier);
        assert!(serde_json::from_str::<Identifier>("\"not one\"").is_err());
        // A number that is in no plan (any more) is still the one that rests.
        let retired = serde_json::from_str::<Identifier>("\"+4470000000001\"").unwrap();
        assert_eq!(retired.as_str(), "+4470000000001");
        assert!(serde_json::from_str::<Identifier>("\"415 555 0123\"").is_err());
    }
}
