//! How many kinds of characters there are: lower case, upper case, digits, and all others.

use super::Candidate;
use super::policy::PasswordPolicy;
use super::violation::Violation;

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    let has = |kind: fn(char) -> bool| u32::from(candidate.characters.iter().copied().any(kind));
    let kinds = has(|c| c.is_ascii_lowercase())
        + has(|c| c.is_ascii_uppercase())
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_ascii_alphanumeric());
    let min = policy.character_types.min;
    if kinds < min {
        violations.push(Violation::CharacterTypes { min });
    }
}
