//! The policy put into words beforehand (SR-43).

use super::policy::PasswordPolicy;

/// One thing that a new password must keep, to be stated on the page before it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// So many characters.
    Length {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// So many of lower case, upper case, digits and others.
    CharacterTypes {
        /// The least.
        min: u32,
    },
    /// Letters, digits, signs and spaces of ASCII only.
    AsciiOnly,
    /// Not mainly repeated characters, or runs of the keyboard, the alphabet or the digits.
    NoSequences,
    /// Not mainly the user's own name, address or number.
    NoUserInfo,
    /// Not mainly words that the operator refuses.
    NoWords,
    /// None of those that are tried first.
    NotCommon,
    /// In no corpus of breached passwords.
    NotBreached,
    /// Another than the account has now.
    NotCurrent,
}

impl PasswordPolicy {
    /// What the policy asks for, in the order of the page. `looks_up_breached` is the gate's.
    pub fn requirements(&self, looks_up_breached: bool) -> Vec<Requirement> {
        let (min, max) = (self.length.min, self.length.max);
        let types = self.character_types.min;
        let rejects = &self.rejects;
        [
            (true, Requirement::Length { min, max }),
            (types > 1, Requirement::CharacterTypes { min: types }),
            (!self.unicode, Requirement::AsciiOnly),
            (rejects.repetition_and_sequence, Requirement::NoSequences),
            (rejects.user_info, Requirement::NoUserInfo),
            (!rejects.words.is_empty(), Requirement::NoWords),
            (rejects.common, Requirement::NotCommon),
            (rejects.pwned && looks_up_breached, Requirement::NotBreached),
            (rejects.current, Requirement::NotCurrent),
        ]
        .into_iter()
        .filter_map(|(applies, requirement)| applies.then_some(requirement))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::{PolicyConfig, Preset};
    use super::*;

    #[test]
    fn the_default_is_stated() {
        let policy = PasswordPolicy::default();
        assert_eq!(
            policy.requirements(false),
            [
                Requirement::Length { min: 15, max: 256 },
                Requirement::NoSequences,
                Requirement::NoUserInfo,
                Requirement::NotCommon,
                Requirement::NotCurrent,
            ]
        );
        assert!(policy.requirements(true).contains(&Requirement::NotBreached));
    }

    #[test]
    fn what_differs_from_the_preset_is_stated() {
        let mut config = PolicyConfig {
            preset: Preset::Logto,
            ..PolicyConfig::default()
        };
        config.character_types.min = Some(3);
        config.rejects.words = Some(vec!["keyback".to_owned()]);
        config.rejects.repetition_and_sequence = Some(false);
        config.rejects.current = Some(false);
        let policy = config.resolve(false).unwrap();
        assert_eq!(
            policy.requirements(true),
            [
                Requirement::Length { min: 8, max: 256 },
                Requirement::CharacterTypes { min: 3 },
                Requirement::AsciiOnly,
                Requirement::NoUserInfo,
                Requirement::NoWords,
                Requirement::NotBreached,
            ]
        );
    }
}
