//! How long a guesser would take, estimated by zxcvbn: for the check of common passwords.

use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

/// How much of a password zxcvbn is shown at once. Its work grows with the number of ways to read digits and signs as
/// letters, and its counts of keyboard walks overflow from 28 characters on.
const WINDOW: usize = 24;
/// How far apart the windows of a longer password begin.
const STEP: usize = 8;
/// Out of reach, by zxcvbn's own scale: no need to look further.
const OUT_OF_REACH: u64 = 10_000_000_000;

/// How many windows of a password are looked at. One window of the worst kind takes some 30 ms.
const MOST_WINDOWS: usize = 6;

/// How many guesses a password stands: those of its strongest window, for it is no weaker than a part of it. What is
/// `known` is taken to be known to the guesser.
///
/// Of a very long password windows spread over all of it are looked at, the first and the last among them.
pub(super) fn guesses(characters: &[char], known: &[String]) -> u64 {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut most = 0;
    for start in window_starts(characters.len()) {
        let end = characters.len().min(start + WINDOW);
        let window = Zeroizing::new(characters[start..end].iter().collect::<String>());
        most = most.max(zxcvbn(&window, &known).guesses());
        if most >= OUT_OF_REACH {
            break;
        }
    }
    most
}

/// Where the windows begin: every few characters, or as far apart as their bounded number makes them.
fn window_starts(length: usize) -> impl Iterator<Item = usize> {
    let last = length.saturating_sub(WINDOW);
    let apart = last.div_ceil(MOST_WINDOWS - 1).max(STEP);
    (0..last).step_by(apart).chain([last])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::user_info::UserFacts;
    use super::*;

    fn guesses_of(text: &str, facts: &UserFacts) -> u64 {
        guesses(&text.chars().collect::<Vec<_>>(), &facts.known_texts())
    }

    #[test]
    fn windows_reach_from_the_first_to_the_last_character_and_are_few() {
        for length in 0..=256 {
            let starts: Vec<_> = window_starts(length).collect();
            assert!(starts.len() <= MOST_WINDOWS, "{length}: {starts:?}");
            assert_eq!(starts[0], 0, "{length}");
            assert_eq!(
                starts[starts.len() - 1],
                length.saturating_sub(WINDOW),
                "{length}"
            );
        }
    }

    #[test]
    fn estimates_tell_weak_from_strong() {
        let nobody = UserFacts::default();
        assert_eq!(guesses_of("", &nobody), 0);
        assert!(guesses_of("dragon", &nobody) < 1_000);
        assert!(guesses_of("qwertyuiopasdfgh", &nobody) < 1_000_000);
        assert!((100_000_000..OUT_OF_REACH).contains(&guesses_of("sunflower-kettle", &nobody)));
        assert!(guesses_of("sunflower-kettle-granite", &nobody) >= OUT_OF_REACH);
    }

    #[test]
    fn what_is_known_of_the_user_is_weak() {
        let ada = UserFacts {
            name: Some("Augusta Lovelace".to_owned()),
            ..UserFacts::default()
        };
        assert!(guesses_of("augustalovelace1815", &ada) < 100_000_000);
        assert!(guesses_of("augustalovelace1815", &UserFacts::default()) >= 100_000_000);
    }

    #[test]
    fn long_passwords_are_read_to_their_end() {
        let nobody = UserFacts::default();
        assert!(
            guesses_of(&"password".repeat(32), &nobody) < 100_000_000,
            "weak everywhere"
        );
        assert!(
            guesses_of(&format!("{}vJ7!qZ2#mL9@xT4", "a".repeat(200)), &nobody) >= OUT_OF_REACH,
            "strong at its end"
        );
        // Beyond 27 characters zxcvbn's own count of keyboard walks overflows.
        assert!(guesses_of(&"20202020".repeat(32), &nobody) < 100_000_000);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,120}", name in "\\PC{0,20}") {
            let facts = UserFacts { name: Some(name), ..UserFacts::default() };
            let characters: Vec<char> = text.chars().take(256).collect();
            prop_assert!(characters.is_empty() || guesses(&characters, &facts.texts()) > 0);
        }

        #[test]
        fn keyboard_walks_are_not_too_strange(text in "[0-9qwert@!$8({<+|]{0,60}") {
            let characters: Vec<char> = text.chars().collect();
            prop_assert!(characters.is_empty() || guesses(&characters, &[]) > 0);
        }
    }
}
