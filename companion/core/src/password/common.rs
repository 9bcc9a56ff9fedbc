//! Common passwords, without a network: zxcvbn knows 30 000 of them by rank, and English words and names.
//!
//! To be on that list is not all that makes a password one of those that are tried first: `passwordpassword1` and
//! `qwertyuiopasdfgh` are not on it. So it is the estimate that decides (SR-40). Refused is what a guesser who knows the
//! lists, the keyboard and the usual changes (case, digits for letters, repeating, dates) finds within 10^8 guesses.
//! For fewer than ten characters, where a policy allows them, it is a hundredth of the 10^length guesses that zxcvbn
//! counts for random ones: eight random characters are not common.
//!
//! A guesser also knows the user and the house. The restricted group looks at how much of a password they cover;
//! `lovelace-2026-ada` passes there, and is refused here where the estimate falls that low once they are known.

use super::Candidate;
use super::policy::PasswordPolicy;
use super::strength;
use super::violation::Violation;

/// The power of ten that a guesser has to go through, at most.
const LEAST_LOG10: usize = 8;
/// How many powers of ten a password may stand below random characters of its length.
const SLACK_LOG10: usize = 2;

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    let rejects = &policy.rejects;
    if !rejects.common {
        return;
    }
    if is_weak(candidate, &[]) {
        violations.push(Violation::Common);
        return;
    }
    let known_to_guessers = [
        (
            rejects.user_info,
            Violation::UserInfo,
            candidate.facts.known_texts(),
        ),
        (!rejects.words.is_empty(), Violation::Words, rejects.words.clone()),
    ];
    for (applies, violation, known) in known_to_guessers {
        if applies && !known.is_empty() && !violations.contains(&violation) && is_weak(candidate, &known) {
            violations.push(violation);
        }
    }
}

fn is_weak(candidate: &Candidate<'_>, known: &[String]) -> bool {
    let exponent = candidate
        .characters
        .len()
        .saturating_sub(SLACK_LOG10)
        .min(LEAST_LOG10);
    let least = 10_u64.pow(u32::try_from(exponent).unwrap_or(0));
    // zxcvbn adds 10^4 for every part but the first, so that any three parts make 10^8 by themselves; the parts of
    // "password password" must add something of their own to pass.
    let least = least + least / 10;
    strength::guesses(&candidate.characters, known) < least
}
