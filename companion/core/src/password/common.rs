//! Common passwords, without a network: zxcvbn knows 30 000 of them by rank.
//!
//! To be on that list is not all that makes a password one of those that are tried first: `passwordpassword1` and
//! `qwertyuiopasdfgh` are not on it. So it is the estimate that decides. Refused is what a guesser who knows the lists, the
//! keyboard and the usual changes (case, digits for letters, repeating, dates) finds within 10^8 guesses: score 0 to 2.

use super::Candidate;
use super::policy::PasswordPolicy;
use super::strength::Strength;
use super::violation::Violation;

/// The least score that is not common.
const LEAST_SCORE: u8 = 3;

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    if policy.rejects.common && Strength::of_text(candidate.text, &[]).score() < LEAST_SCORE {
        violations.push(Violation::Common);
    }
}
