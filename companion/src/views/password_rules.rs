//! The password policy as a page states it: beforehand as a list, afterwards with every broken rule marked (SR-43).

use std::borrow::Cow;

/// One rule of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    MinLength(u32),
    MaxLength(u32),
    /// At least this many of: lower case, upper case, digits, symbols.
    CharacterTypes(u8),
    SupportedCharacters,
    NotCommon,
    NotBreached,
    NoUserInfo,
    NoRepetition,
    NoSequence,
    NoSiteWords,
    NotCurrent,
}

impl Rule {
    /// The rule in words. Of a password that is refused some say why, too.
    pub(crate) fn words(self, broken: bool) -> Cow<'static, str> {
        let words = match self {
            Self::MinLength(min) => return format!("At least {min} characters").into(),
            Self::MaxLength(max) => return format!("At most {max} characters").into(),
            Self::CharacterTypes(4) => "Small and capital letters, digits and symbols",
            Self::CharacterTypes(types) => {
                return format!("{types} of these: small letters, capitals, digits, symbols").into();
            }
            Self::SupportedCharacters => "Only letters A to Z, digits and symbols",
            Self::NotCommon if broken => "Not a common password: this one is easy to guess",
            Self::NotCommon => "Not a common password",
            Self::NotBreached if broken => "Not a leaked password: this one was found in a data leak",
            Self::NotBreached => "Not in a list of leaked passwords",
            Self::NoUserInfo => "Without your name, e-mail or phone number",
            Self::NoRepetition => "No run of one character, such as “aaa”",
            Self::NoSequence => "No runs such as “1234” or “qwerty”",
            Self::NoSiteWords => "Without the name of this site",
            Self::NotCurrent => "Not your current password",
        };
        words.into()
    }
}

/// The policy and, after a try, what the try broke.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules<'a> {
    /// The policy, in the order it is stated.
    pub stated: &'a [Rule],
    pub broken: &'a [Rule],
}

/// A line of the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) rule: Rule,
    pub(super) broken: bool,
}

impl Line {
    pub(super) fn words(&self) -> Cow<'static, str> {
        self.rule.words(self.broken)
    }
}

/// A maximum this generous is not worth a line until somebody meets it.
const GENEROUS: u32 = 128;

impl<'a> PasswordRules<'a> {
    pub fn stated(stated: &'a [Rule]) -> Self {
        Self { stated, broken: &[] }
    }

    /// The stated rules in their order, then what was broken without having been stated.
    pub(super) fn lines(&self) -> Vec<Line> {
        let unstated = self.broken.iter().filter(|rule| !self.stated.contains(rule));
        let all = self.stated.iter().chain(unstated);
        let lines = all.map(|&rule| Line {
            rule,
            broken: self.broken.contains(&rule),
        });
        lines
            .filter(|line| line.broken || !matches!(line.rule, Rule::MaxLength(max) if max >= GENEROUS))
            .collect()
    }

    pub(super) fn failed(&self) -> bool {
        !self.broken.is_empty()
    }

    /// Whether nothing is wrong with it but that it is the one there is.
    pub(super) fn is_current(&self) -> bool {
        self.broken == [Rule::NotCurrent]
    }

    pub(super) fn min_length(&self) -> u32 {
        let min = self.stated.iter().find_map(|rule| {
            if let Rule::MinLength(min) = rule {
                Some(*min)
            } else {
                None
            }
        });
        min.unwrap_or(1)
    }

    /// The `passwordrules` attribute by which password managers make passwords that hold.
    pub(super) fn attribute(&self) -> String {
        let mut rules = String::new();
        for rule in self.stated {
            match rule {
                Rule::MinLength(min) => rules.push_str(&format!("minlength: {min}; ")),
                Rule::MaxLength(max) => rules.push_str(&format!("maxlength: {max}; ")),
                Rule::CharacterTypes(types) => {
                    let required = ["lower", "upper", "digit", "special"];
                    for class in required.iter().take(usize::from(*types)) {
                        rules.push_str(&format!("required: {class}; "));
                    }
                }
                Rule::NoRepetition => rules.push_str("max-consecutive: 2; "),
                _ => {}
            }
        }
        rules.push_str("allowed: ascii-printable;");
        rules
    }

    /// The default policy (NIST SP 800-63B-4), for the samples.
    pub(super) const SAMPLE: &'static [Rule] = &[
        Rule::MinLength(15),
        Rule::MaxLength(256),
        Rule::NotCommon,
        Rule::NoUserInfo,
        Rule::NoSequence,
        Rule::NotCurrent,
    ];
    /// One of each, for the samples.
    pub(super) const SAMPLE_OF_ALL: &'static [Rule] = &[
        Rule::MinLength(8),
        Rule::MaxLength(64),
        Rule::CharacterTypes(3),
        Rule::SupportedCharacters,
        Rule::NotCommon,
        Rule::NotBreached,
        Rule::NoUserInfo,
        Rule::NoRepetition,
        Rule::NoSequence,
        Rule::NoSiteWords,
        Rule::NotCurrent,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SR-43: the attribute says what the policy says.
    #[test]
    fn the_attribute_is_the_policy() {
        let nist = PasswordRules::stated(PasswordRules::SAMPLE);
        assert_eq!(
            nist.attribute(),
            "minlength: 15; maxlength: 256; allowed: ascii-printable;"
        );
        let all = PasswordRules::stated(PasswordRules::SAMPLE_OF_ALL);
        assert_eq!(
            all.attribute(),
            "minlength: 8; maxlength: 64; required: lower; required: upper; required: digit; \
             max-consecutive: 2; allowed: ascii-printable;"
        );
    }

    #[test]
    fn broken_rules_are_marked_all_at_once_and_never_lost() {
        let stated = [Rule::MinLength(15), Rule::MaxLength(256)];
        let rules = PasswordRules {
            stated: &stated,
            broken: &[Rule::MinLength(15), Rule::NotBreached],
        };
        let lines: Vec<_> = rules
            .lines()
            .iter()
            .map(|line| (line.rule, line.broken))
            .collect();
        assert_eq!(lines, [(Rule::MinLength(15), true), (Rule::NotBreached, true)]);
    }
}
