//! `[audit]`: the trail of what happened.

use serde::{Deserialize, Serialize};

use super::Problems;
use super::duration::Span;

/// `[audit]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// How long a line is kept: 1d to 3650d.
    pub kept: Span,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            kept: Span::days(400),
        }
    }
}

impl AuditConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !(Span::days(1)..=Span::days(3650)).contains(&self.kept) {
            problems.add("[audit] kept", "must be 1d to 3650d");
        }
    }
}
