//! The domain of Keyback's companion: the reset flow, one-time codes, limits and the password policy.
//!
//! Nothing here knows HTTP, a database or a mail server. States, checks and the policy are sync and pure; time and
//! randomness are arguments. Only [`reset::ResetService`], [`rate_limit::Limiter`] and [`password::PasswordGate`] are
//! async, over the [`ports`] that the companion's adapters implement.
//!
//! | to read about | open |
//! |---|---|
//! | what a visitor types | [`identifier`], [`phone`], [`one_time_code`], [`password::NewPassword`] |
//! | the steps of a reset | [`reset`] |
//! | what a step may answer | [`outcome`] |
//! | what holds for a password | [`password`] |
//! | how often anything may happen | [`rate_limit`] |
//! | what an adapter must promise | [`ports`] |

pub mod event;
pub mod identifier;
pub mod ids;
pub mod one_time_code;
pub mod outcome;
pub mod password;
pub mod phone;
pub mod ports;
pub mod random;
pub mod rate_limit;
pub mod reset;
pub mod secret;
pub mod testing;
pub mod time;
