//! The length, in code points (SR-38).

use super::Candidate;
use super::policy::PasswordPolicy;
use super::violation::Violation;

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    let length = candidate.characters.len();
    let (min, max) = (policy.length.min, policy.length.max);
    if length < min as usize {
        violations.push(Violation::TooShort { min });
    }
    if length > max as usize {
        violations.push(Violation::TooLong { max });
    }
}
