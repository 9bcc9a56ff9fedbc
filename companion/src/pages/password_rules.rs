//! The policy and its violations, in the words of the pages.

use std::borrow::Cow;

use keyback_core::password::{PasswordGate, Requirement, Violation};
use keyback_core::ports::BreachedPasswords;

use crate::app::Companion;
use crate::views::password_rules::{PasswordRules, Rule};

/// The rules that a submitted password broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(Vec<Rule>);

impl Broken {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn violations(violations: &[Violation]) -> Self {
        Self(violations.iter().map(rule_of_violation).collect())
    }

    /// Beyond the hard cap: refused before anything was computed of it.
    pub(super) fn too_large(companion: &Companion) -> Self {
        Self(vec![Rule::MaxLength(
            companion.resets.passwords().policy().max_length(),
        )])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The policy as the page states it beforehand.
pub(super) fn stated<B: BreachedPasswords>(gate: &PasswordGate<B>) -> Vec<Rule> {
    gate.policy()
        .requirements(gate.looks_up_breached())
        .into_iter()
        .flat_map(|requirement| match requirement {
            // The page leaves out a maximum that nobody meets.
            Requirement::Length { min, max } => vec![Rule::MinLength(min), Rule::MaxLength(max)],
            Requirement::CharacterTypes { min } => vec![Rule::CharacterTypes(types(min))],
            Requirement::AsciiOnly => vec![Rule::SupportedCharacters],
            Requirement::NoSequences => vec![Rule::NoRepetition, Rule::NoSequence],
            Requirement::NoUserInfo => vec![Rule::NoUserInfo],
            Requirement::NoWords => vec![Rule::NoSiteWords],
            Requirement::NotCommon => vec![Rule::NotCommon],
            Requirement::NotBreached => vec![Rule::NotBreached],
            Requirement::NotCurrent => vec![Rule::NotCurrent],
        })
        .collect()
}

/// Both together, as the view takes them.
pub(super) fn rules_of<'a>(stated: &'a [Rule], broken: &'a Broken) -> PasswordRules<'a> {
    PasswordRules {
        stated,
        broken: &broken.0,
    }
}

/// What a password broke, in the words of the pages, for who is not before one.
pub(crate) fn words_of(violations: &[Violation]) -> Vec<Cow<'static, str>> {
    violations
        .iter()
        .map(|violation| rule_of_violation(violation).words(true))
        .collect()
}

fn rule_of_violation(violation: &Violation) -> Rule {
    match *violation {
        Violation::TooShort { min } => Rule::MinLength(min),
        Violation::TooLong { max } => Rule::MaxLength(max),
        Violation::UnsupportedCharacters => Rule::SupportedCharacters,
        Violation::CharacterTypes { min } => Rule::CharacterTypes(types(min)),
        Violation::Repetition => Rule::NoRepetition,
        Violation::Sequence => Rule::NoSequence,
        Violation::UserInfo => Rule::NoUserInfo,
        Violation::Words => Rule::NoSiteWords,
        Violation::Common => Rule::NotCommon,
        Violation::Breached => Rule::NotBreached,
        Violation::Current => Rule::NotCurrent,
    }
}

/// There are four kinds of characters.
fn types(min: u32) -> u8 {
    u8::try_from(min).unwrap_or(4)
}
