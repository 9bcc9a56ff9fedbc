//! `[reset]`: the life of a reset.

use serde::{Deserialize, Serialize};

use super::Problems;
use super::duration::Span;

/// `[reset]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResetConfig {
    /// How long a code works: 1m to 10m.
    pub code_lifetime: Span,
    /// Wrong codes before a new one is needed: 1 to 10.
    pub max_attempts: u32,
    /// The wait before a new code can be asked for.
    pub resend_cooldown: Span,
    /// How long a right code lets the password be chosen.
    pub proof_lifetime: Span,
    /// Whether mails carry a link beside the code.
    pub links: bool,
}

impl Default for ResetConfig {
    fn default() -> Self {
        Self {
            code_lifetime: Span::minutes(10),
            max_attempts: 5,
            resend_cooldown: Span::seconds(60),
            proof_lifetime: Span::minutes(10),
            links: false,
        }
    }
}

impl ResetConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !(Span::minutes(1)..=Span::minutes(10)).contains(&self.code_lifetime) {
            problems.add("[reset] code_lifetime", "must be 1m to 10m");
        }
        if !(1..=10).contains(&self.max_attempts) {
            problems.add("[reset] max_attempts", "must be 1 to 10");
        }
        if !(Span::seconds(1)..=Span::minutes(10)).contains(&self.resend_cooldown) {
            problems.add("[reset] resend_cooldown", "must be 1s to 10m");
        }
        if !(Span::minutes(1)..=Span::minutes(10)).contains(&self.proof_lifetime) {
            problems.add("[reset] proof_lifetime", "must be 1m to 10m");
        }
    }
}
