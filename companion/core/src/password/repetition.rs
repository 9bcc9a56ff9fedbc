//! The same character three times and more.

/// The shortest run that counts.
const MIN_RUN: usize = 3;

/// For each place of the password, how often its character stands there in a row; zero below three.
pub(super) fn runs(password: &[char]) -> Vec<usize> {
    (0..password.len())
        .map(|at| {
            let run = password[at..]
                .iter()
                .take_while(|&&character| character == password[at])
                .count();
            if run >= MIN_RUN { run } else { 0 }
        })
        .collect()
}
