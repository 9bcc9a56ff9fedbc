//! The restricted group: repetition, sequences, the user's own data and refused words, decided together as Logto does.
//!
//! Each of the four marks the characters that it covers. A password is refused when fewer than three characters are left
//! unmarked, that is when more than `max(1, length - 3)` are marked; then every one of the four that marked anything is
//! named.

use super::policy::PasswordPolicy;
use super::violation::Violation;
use super::{Candidate, repetition, sequence, user_info, words};

pub(super) fn check(candidate: &Candidate<'_>, policy: &PasswordPolicy, violations: &mut Vec<Violation>) {
    let typed = candidate.characters.as_slice();
    let folded = zeroize::Zeroizing::new(folded(typed.iter().copied()));
    let rejects = &policy.rejects;
    let mut covers = Vec::new();
    if rejects.repetition_and_sequence {
        covers.push((Violation::Repetition, repetition::runs(typed)));
        covers.push((Violation::Sequence, sequence::runs(typed)));
    }
    if rejects.user_info {
        covers.push((Violation::UserInfo, user_info::runs(&folded, candidate.facts)));
    }
    if !rejects.words.is_empty() {
        covers.push((Violation::Words, words::runs(&folded, &rejects.words)));
    }

    let mut marked = vec![false; typed.len()];
    for (at, &run) in covers.iter().flat_map(|(_, runs)| runs.iter().enumerate()) {
        marked[at..at + run].fill(true);
    }
    let count = marked.iter().filter(|&&mark| mark).count();
    if count > typed.len().saturating_sub(3).max(1) {
        let contributing = covers.iter().filter(|(_, runs)| runs.iter().any(|&run| run > 0));
        violations.extend(contributing.map(|&(violation, _)| violation));
    }
}

/// Lower case, one character for each, so that places stay where they are: the few characters whose lower case is longer
/// are kept as they are.
pub(super) fn folded(characters: impl Iterator<Item = char>) -> Vec<char> {
    characters
        .map(|character| {
            let mut lower = character.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(only), None) => only,
                _ => character,
            }
        })
        .collect()
}
