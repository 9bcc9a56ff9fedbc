//! Which characters may be there at all: no control characters, which no keyboard types and some hash formats end at;
//! ASCII alone where the policy says so.

use super::Candidate;
use super::policy::PasswordPolicy;
use super::violation::Violation;

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    let allowed = |character: &char| !character.is_control() && (policy.unicode || character.is_ascii());
    if !candidate.characters.iter().all(allowed) {
        violations.push(Violation::UnsupportedCharacters);
    }
}
