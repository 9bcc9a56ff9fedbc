//! Runs of the digits, the alphabet and the keyboard, three characters and more, there and back, in one case.

/// The shortest run that counts.
const MIN_RUN: usize = 3;

/// Digits, the alphabet, the keyboard's rows and its columns: Logto's list.
const SEQUENCES: [&str; 14] = [
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik",
    "9ol",
];

/// For each place of the password, how many characters from there stand in a sequence; zero below three.
///
/// A run keeps to one case, as it is typed with or without the shift key held: `aBc` is none.
pub(super) fn runs(password: &[char]) -> Vec<usize> {
    let sequences = there_and_back();
    (0..password.len())
        .map(|at| {
            let here = &password[at..];
            let longest = sequences
                .iter()
                .map(|sequence| run_in(here, sequence))
                .max()
                .unwrap_or(0);
            if longest >= MIN_RUN { longest } else { 0 }
        })
        .collect()
}

/// How many characters of `here`, from its first, stand next to each other in `sequence`.
fn run_in(here: &[char], sequence: &[char]) -> usize {
    let Some(start) = here
        .first()
        .and_then(|first| sequence.iter().position(|character| character == first))
    else {
        return 0;
    };
    here.iter()
        .zip(&sequence[start..])
        .take_while(|(typed, listed)| typed == listed)
        .count()
}

fn there_and_back() -> Vec<Vec<char>> {
    SEQUENCES
        .iter()
        .flat_map(|sequence| {
            let there: Vec<char> = sequence.chars().collect();
            let back: Vec<char> = sequence.chars().rev().collect();
            let upper = |characters: &Vec<char>| characters.iter().map(char::to_ascii_uppercase).collect();
            [upper(&there), upper(&back), there, back]
        })
        .collect()
}
