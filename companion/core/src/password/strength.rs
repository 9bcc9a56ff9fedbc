//! How long a guesser would take, estimated by zxcvbn: for the meter of the page, and for the check of common passwords.

use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

use super::typed::NewPassword;
use super::user_info::UserFacts;

/// How much of a password zxcvbn is shown at once. Its work grows with the number of ways to read digits and signs as
/// letters, and its counts of keyboard walks overflow from 28 characters on.
const WINDOW: usize = 24;
/// How far apart the windows of a longer password begin.
const STEP: usize = 8;
/// The greatest score.
const MAX_SCORE: u8 = 4;

/// What zxcvbn estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strength {
    guesses: u64,
    score: u8,
}

impl Strength {
    /// Estimates a password; what is known of the user is taken to be known to the guesser.
    pub fn of(password: &NewPassword, facts: &UserFacts) -> Self {
        let characters = Zeroizing::new(password.expose().chars().collect::<Vec<_>>());
        Self::of_characters(&characters, &facts.known_texts())
    }

    /// From 0, found at once, to 4, out of reach.
    pub const fn score(self) -> u8 {
        self.score
    }

    /// How many guesses it stands.
    pub(super) const fn guesses(self) -> u64 {
        self.guesses
    }

    /// The strength of the strongest window: a password is no weaker than a part of it.
    pub(super) fn of_characters(characters: &[char], known: &[String]) -> Self {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut strongest = Self::default();
        for start in (0..characters.len()).step_by(STEP) {
            let end = characters.len().min(start + WINDOW);
            let window = Zeroizing::new(characters[start..end].iter().collect::<String>());
            let estimate = zxcvbn(&window, &known);
            strongest = strongest.max(Self {
                guesses: estimate.guesses(),
                score: estimate.score().into(),
            });
            if strongest.score == MAX_SCORE || end == characters.len() {
                break;
            }
        }
        strongest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strength(text: &str, facts: &UserFacts) -> u8 {
        Strength::of(&NewPassword::parse(text).unwrap(), facts).score()
    }

    #[test]
    fn the_meter_has_five_steps() {
        let nobody = UserFacts::default();
        assert_eq!(strength("", &nobody), 0);
        assert_eq!(strength("dragon", &nobody), 0);
        assert_eq!(strength("qwertyuiopasdfgh", &nobody), 1);
        assert_eq!(strength("sunflower-kettle", &nobody), 3);
        assert_eq!(strength("sunflower-kettle-granite", &nobody), 4);
    }

    #[test]
    fn what_is_known_of_the_user_is_weak() {
        let ada = UserFacts {
            name: Some("Augusta Lovelace".to_owned()),
            ..UserFacts::default()
        };
        assert!(strength("augustalovelace1815", &ada) < 3);
        assert!(strength("augustalovelace1815", &UserFacts::default()) >= 3);
    }

    #[test]
    fn long_passwords_are_read_to_their_end() {
        let nobody = UserFacts::default();
        assert!(strength(&"password".repeat(32), &nobody) < 3, "weak everywhere");
        assert_eq!(
            strength(&format!("{}vJ7!qZ2#mL9@xT4", "a".repeat(200)), &nobody),
            4,
            "strong at its end"
        );
        // Beyond 27 characters zxcvbn's own count of keyboard walks overflows.
        assert!(strength(&"20202020".repeat(32), &nobody) < 3);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,120}", name in "\\PC{0,20}") {
            let facts = UserFacts { name: Some(name), ..UserFacts::default() };
            let characters: Vec<char> = text.chars().take(256).collect();
            prop_assert!(Strength::of_characters(&characters, &facts.texts()).score() <= MAX_SCORE);
        }

        #[test]
        fn keyboard_walks_are_not_too_strange(text in "[0-9qwert@!$8({<+|]{0,60}") {
            let characters: Vec<char> = text.chars().collect();
            prop_assert!(Strength::of_characters(&characters, &[]).score() <= MAX_SCORE);
        }
    }
}
