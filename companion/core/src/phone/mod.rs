//! Phone numbers: what people type, the one normal form, and how a number is shown.
//!
//! The numbering plans are those of libphonenumber, by a port of it. They are unpacked when the first number is read
//! and not before: an installation that never sees one pays no memory for them.
//!
//! What is typed becomes E.164 (SR-10, SR-11) by these rules:
//!
//! 1. Digits may be ASCII, full-width or Arabic-Indic (both series). Spaces, dashes, dots, slashes and parentheses are
//!    dropped, also in their full-width forms, and so are the direction marks that address books copy with a number.
//! 2. A `+` may stand before the first digit. Any other character refuses the text: letters, extensions, `tel:`.
//! 3. With the `+` it is an international number, and the region asked in has no say. Without it, the number is read
//!    as it is dialled within the region, trunk and international prefixes included; without a region it is refused.
//! 4. A number that its numbering plan doesn't know is refused: of impossible length, or in no range that is given out.
//!
//! To parse a normal form gives it back unchanged, in whichever region.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

use crate::identifier::MalformedIdentifier;

/// The longest phone number as typed, in bytes, separators and all.
const MAX_TYPED: usize = 96;
/// The regions with a numbering plan, in order. To ask the plans themselves would unpack them at every start.
const REGIONS: &str = "\
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER \
    ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE \
    IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV \
    LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK \
    SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA \
    VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
/// How many digits E.164 has, country code and all. The shortest numbers in use have seven.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A phone number in E.164.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// A country or territory with a numbering plan, by its code in ISO 3166-1: `US`, `DE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(rlibphonenumber::Region);

/// The text names no region with a numbering plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no country; write its two letters, such as \"US\" or \"DE\"")]
pub struct NoRegion(String);

impl PhoneNumber {
    /// Reads a number with its country code.
    pub fn parse(text: &str) -> Result<Self, MalformedIdentifier> {
        Self::parse_in(None, text)
    }

    /// Reads what was typed; without a country code it is a number of `region`.
    pub fn parse_in(region: Option<Region>, text: &str) -> Result<Self, MalformedIdentifier> {
        if text.len() > MAX_TYPED {
            return Err(MalformedIdentifier::TooLong);
        }
        let dialled = dialled(text).ok_or(MalformedIdentifier::Phone)?;
        let region = if dialled.starts_with('+') { None } else { region };
        // Before the plans are unpacked: nothing could tell the country.
        if region.is_none() && !dialled.starts_with('+') {
            return Err(MalformedIdentifier::Phone);
        }
        let number = e164(&dialled, region).ok_or(MalformedIdentifier::Phone)?;
        // One normal form: read again it must be itself, or two texts would stand for one number and not be equal.
        match e164(&number, None) {
            Some(again) if again == number => Self::from_e164(&number),
            _ => Err(MalformedIdentifier::Phone),
        }
    }

    /// Takes a number that is in E.164 already. Its numbering plan is not asked.
    pub fn from_e164(text: &str) -> Result<Self, MalformedIdentifier> {
        let digits = text.strip_prefix('+').ok_or(MalformedIdentifier::Phone)?;
        let well_formed = DIGITS.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedIdentifier::Phone)
        }
    }

    /// The normal form, `+` first.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country or territory that the number belongs to. `None`: to none, or it is in no range that is given out.
    pub fn region(&self) -> Option<Region> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&number)?;
        // What belongs to no country is in a region of its own there.
        region.to_string().parse().ok()
    }

    /// All but the last four digits: the beginning that ten thousand numbers share. They are given out in such blocks, and
    /// whoever earns by the messages to their numbers has them in a row.
    pub fn prefix(&self) -> &str {
        &self.0[..self.0.len().saturating_sub(4)]
    }

    /// As people read it, in the groups of its country: `+1 415-555-0123`.
    pub fn international(&self) -> String {
        PHONE_NUMBER_UTIL.parse(&self.0, None).map_or_else(
            |_| self.0.clone(),
            |number| {
                PHONE_NUMBER_UTIL
                    .format(&number, PhoneNumberFormat::International)
                    .into_owned()
            },
        )
    }
}

/// What would be dialled: an optional `+` and ASCII digits. `None`: something else stands in it.
fn dialled(text: &str) -> Option<String> {
    let mut dialled = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '0'..='9' => dialled.push(letter),
            '\u{ff10}'..='\u{ff19}' => dialled.push(digit(letter, '\u{ff10}')?),
            '\u{660}'..='\u{669}' => dialled.push(digit(letter, '\u{660}')?),
            '\u{6f0}'..='\u{6f9}' => dialled.push(digit(letter, '\u{6f0}')?),
            '+' | '\u{ff0b}' if dialled.is_empty() => dialled.push('+'),
            _ if is_separator(letter) => {}
            _ => return None,
        }
    }
    Some(dialled)
}

fn digit(letter: char, zero: char) -> Option<char> {
    char::from_digit(u32::from(letter) - u32::from(zero), 10)
}

fn is_separator(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\t' | '-' | '.' | '/' | '(' | ')'
            | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' // spaces that don't break, or are wide
            | '\u{2010}'..='\u{2015}' | '\u{2212}' // hyphens, dashes, minus
            | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' // full-width ( ) - . /
            | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction marks
    )
}

/// The number in E.164, if its numbering plan knows it.
fn e164(dialled: &str, region: Option<Region>) -> Option<String> {
    let number = PHONE_NUMBER_UTIL
        .parse(dialled, region.map(|region| region.0))
        .ok()?;
    PHONE_NUMBER_UTIL.is_valid_number(&number).then(|| {
        PHONE_NUMBER_UTIL
            .format(&number, PhoneNumberFormat::E164)
            .into_owned()
    })
}

impl FromStr for Region {
    type Err = NoRegion;

    fn from_str(text: &str) -> Result<Self, NoRegion> {
        let code = text.to_ascii_uppercase();
        rlibphonenumber::Region::from_str(&code)
            .ok()
            .filter(|_| REGIONS.split(' ').any(|known| known == code))
            .map(Self)
            .ok_or_else(|| NoRegion(text.to_owned()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Region {
    type Error = NoRegion;

    fn try_from(text: String) -> Result<Self, NoRegion> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.to_string()
    }
}

#[cfg(test)]
mod tests;
