//! The policy as configured, in the shape that Logto's policy has, and the presets it starts from.

use serde::{Deserialize, Serialize};

use super::typed::{MAX_CODE_POINTS, NewPassword};
use super::user_info::UserFacts;
use super::violation::Violation;
use super::{CHECKS, Candidate};

/// The policy as written down: a preset, and what differs from it. Keys are Logto's, in snake_case too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicyConfig {
    /// Where it starts from.
    pub preset: Preset,
    /// The length, in code points.
    pub length: LengthConfig,
    /// The kinds of characters.
    #[serde(alias = "character_types")]
    pub character_types: CharacterTypesConfig,
    /// What is refused.
    pub rejects: RejectsConfig,
    /// Whether characters beyond ASCII are allowed.
    pub unicode: Option<bool>,
}

/// `length` of [`PolicyConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LengthConfig {
    /// The least number of code points.
    pub min: Option<u32>,
    /// The greatest, at most 256.
    pub max: Option<u32>,
}

/// `characterTypes` of [`PolicyConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CharacterTypesConfig {
    /// How many of lower case, upper case, digits and others there must be: 1 to 4.
    pub min: Option<u32>,
}

/// `rejects` of [`PolicyConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RejectsConfig {
    /// Breached passwords, where a range URL is set.
    pub pwned: Option<bool>,
    /// Repeated characters and runs of the keyboard, the alphabet or the digits.
    #[serde(alias = "repetition_and_sequence")]
    pub repetition_and_sequence: Option<bool>,
    /// The user's own name, user name, address and number.
    #[serde(alias = "user_info")]
    pub user_info: Option<bool>,
    /// Words of the operator's: the name of the company, of the product.
    pub words: Option<Vec<String>>,
    /// Passwords that are tried first, and what is put together from them. Ours: Logto has no such check.
    pub common: Option<bool>,
    /// The password that the account has now (SR-45). Ours: Logto refuses it always.
    pub current: Option<bool>,
}

/// Where a policy starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// NIST SP 800-63B-4 section 3.1.1.2: 15 characters, 8 where a second factor is enforced; no composition rule; the
    /// user's own data, sequences and common passwords refused; Unicode allowed. The default.
    #[default]
    Nist,
    /// Logto's defaults: 8 characters of ASCII; no list of common passwords.
    Logto,
    /// OWASP ASVS 5.0 V6.2: 8 characters, which V6.2.1 allows and where it recommends 15; no composition rule (V6.2.5);
    /// common passwords (V6.2.4), context words (V6.2.11) and breached ones (V6.2.12) refused.
    Asvs,
}

/// A complete policy. It serialises in Logto's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordPolicy {
    pub(super) length: Length,
    pub(super) character_types: CharacterTypes,
    pub(super) rejects: Rejects,
    pub(super) unicode: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Length {
    pub(super) min: u32,
    pub(super) max: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct CharacterTypes {
    pub(super) min: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rejects {
    pub(super) pwned: bool,
    pub(super) repetition_and_sequence: bool,
    pub(super) user_info: bool,
    pub(super) words: Vec<String>,
    pub(super) common: bool,
    pub(super) current: bool,
}

/// A policy that no password, or every password, would keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    /// No bounds.
    #[error("length: min must be at least 1 and at most max ({min} to {max})")]
    Length {
        /// As configured.
        min: u32,
        /// As configured.
        max: u32,
    },
    /// Beyond the hard cap.
    #[error("length.max: at most {MAX_CODE_POINTS}, not {max}")]
    MaxLength {
        /// As configured.
        max: u32,
    },
    /// There are four.
    #[error("characterTypes.min: 1 to 4, not {min}")]
    CharacterTypes {
        /// As configured.
        min: u32,
    },
    /// It would cover nothing, or be taken for a mistake.
    #[error("rejects.words: a word is empty")]
    EmptyWord,
}

impl PolicyConfig {
    /// Fills in the preset. `second_factor_enforced` lets the NIST preset start at 8 characters (SR-35).
    pub fn resolve(self, second_factor_enforced: bool) -> Result<PasswordPolicy, Vec<MalformedPolicy>> {
        let mut policy = PasswordPolicy::preset(self.preset, second_factor_enforced);
        set(&mut policy.length.min, self.length.min);
        set(&mut policy.length.max, self.length.max);
        set(&mut policy.character_types.min, self.character_types.min);
        set(&mut policy.rejects.pwned, self.rejects.pwned);
        set(
            &mut policy.rejects.repetition_and_sequence,
            self.rejects.repetition_and_sequence,
        );
        set(&mut policy.rejects.user_info, self.rejects.user_info);
        set(&mut policy.rejects.words, self.rejects.words);
        set(&mut policy.rejects.common, self.rejects.common);
        set(&mut policy.rejects.current, self.rejects.current);
        set(&mut policy.unicode, self.unicode);
        let problems = policy.problems();
        if problems.is_empty() {
            Ok(policy)
        } else {
            Err(problems)
        }
    }
}

impl PasswordPolicy {
    /// A preset as it is.
    pub fn preset(preset: Preset, second_factor_enforced: bool) -> Self {
        let rejects = Rejects {
            pwned: true,
            repetition_and_sequence: true,
            user_info: true,
            words: Vec::new(),
            common: true,
            current: true,
        };
        let nist = Self {
            length: Length {
                min: if second_factor_enforced { 8 } else { 15 },
                max: 256,
            },
            character_types: CharacterTypes { min: 1 },
            rejects: rejects.clone(),
            unicode: true,
        };
        let length = Length { min: 8, max: 256 };
        match preset {
            Preset::Nist => nist,
            Preset::Logto => Self {
                length,
                rejects: Rejects {
                    common: false,
                    ..rejects
                },
                unicode: false,
                ..nist
            },
            Preset::Asvs => Self {
                length,
                rejects: Rejects {
                    repetition_and_sequence: false,
                    ..rejects
                },
                ..nist
            },
        }
    }

    /// The same policy, with more words refused: names of apps and of the house, which change while it runs (SR-40).
    #[must_use]
    pub fn with_words(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.rejects
            .words
            .extend(words.into_iter().filter(|word| !word.trim().is_empty()));
        self
    }

    /// Every rule that follows from the password and its user alone and that it breaks: not the look-up of breached ones,
    /// nor the comparison with the one there is.
    ///
    /// It may take some milliseconds: not for the threads that serve requests when many come at once.
    pub fn violations(&self, password: &NewPassword, facts: &UserFacts) -> Vec<Violation> {
        let characters = password.expose().chars().collect::<Vec<_>>().into();
        let candidate = Candidate { characters, facts };
        let mut violations = Vec::new();
        for check in CHECKS {
            check(&candidate, self, &mut violations);
        }
        violations
    }

    /// The least number of code points.
    pub fn min_length(&self) -> u32 {
        self.length.min
    }

    /// The greatest number of code points.
    pub fn max_length(&self) -> u32 {
        self.length.max
    }

    /// Whether breached passwords are to be refused.
    pub fn rejects_breached(&self) -> bool {
        self.rejects.pwned
    }

    /// Whether the password that the account has now is to be refused.
    pub fn rejects_current(&self) -> bool {
        self.rejects.current
    }

    fn problems(&self) -> Vec<MalformedPolicy> {
        let (Length { min, max }, types) = (&self.length, self.character_types.min);
        let mut problems = Vec::new();
        if *min == 0 || min > max {
            problems.push(MalformedPolicy::Length { min: *min, max: *max });
        }
        if *max as usize > MAX_CODE_POINTS {
            problems.push(MalformedPolicy::MaxLength { max: *max });
        }
        if !(1..=4).contains(&types) {
            problems.push(MalformedPolicy::CharacterTypes { min: types });
        }
        if self.rejects.words.iter().any(|word| word.trim().is_empty()) {
            problems.push(MalformedPolicy::EmptyWord);
        }
        problems
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::preset(Preset::default(), false)
    }
}

fn set<T>(value: &mut T, configured: Option<T>) {
    if let Some(configured) = configured {
        *value = configured;
    }
}
