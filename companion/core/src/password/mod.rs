//! What holds for a password: one gate for the reset, the account page, the command line and every API (SR-44).
//!
//! `CHECKS` is the policy laid out as a table, one file per check. All of them run, so that every broken rule is named at
//! once. [`PasswordGate::accept`] also asks, over ports, for breached passwords and for the password that is replaced, and is
//! the only way to an [`AcceptedPassword`].

mod breached;
mod character_types;
mod characters;
mod common;
mod gate;
mod length;
mod policy;
mod repetition;
mod requirements;
mod restricted;
mod sequence;
mod strength;
mod typed;
mod user_info;
mod violation;
mod words;

#[cfg(test)]
mod tests;

pub use breached::WhenDown;
pub use gate::{NoPassword, PasswordGate, PasswordRejection};
pub use policy::{
    CharacterTypesConfig, LengthConfig, MalformedPolicy, PasswordPolicy, PolicyConfig, Preset, RejectsConfig,
};
pub use requirements::Requirement;
pub use typed::{
    AcceptedPassword, CurrentPassword, MAX_BYTES, MAX_CODE_POINTS, NewPassword, PasswordTooLarge,
};
pub use user_info::UserFacts;
pub use violation::Violation;

/// A check of the policy: adds what the password violates.
pub(crate) type Check = fn(&Candidate<'_>, &PasswordPolicy, &mut Vec<Violation>);

/// Every check that needs nothing but the password and the user, in the order in which violations are named.
pub(crate) const CHECKS: [Check; 5] = [
    length::check,
    characters::check,
    character_types::check,
    restricted::check,
    common::check,
];

/// A password under examination.
pub(crate) struct Candidate<'a> {
    /// Its code points.
    pub(crate) characters: zeroize::Zeroizing<Vec<char>>,
    /// Whose it would be.
    pub(crate) facts: &'a UserFacts,
}
