//! Words that the operator refuses.

use super::restricted::folded;
use super::user_info::longest_matches;

/// For each place of the password, the length of the longest refused word that stands there.
pub(super) fn runs(password: &[char], words: &[String]) -> Vec<usize> {
    let words: Vec<Vec<char>> = words.iter().map(|word| folded(word.trim().chars())).collect();
    longest_matches(password, &words)
}
