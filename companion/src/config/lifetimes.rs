//! `[session]` and `[tokens]`: how long what the provider gives lives.

use serde::{Deserialize, Serialize};

use super::Problems;
use super::duration::Span;

/// A token of a shorter life would be over before its app has used it.
const LEAST: Span = Span::minutes(1);

/// `[session]`: the browser session at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// Ends when not seen for this long.
    pub idle: Span,
    /// Ends this long after its beginning, seen or not.
    pub max: Span,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            idle: Span::days(14),
            max: Span::days(30),
        }
    }
}

impl SessionConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, length) in [("idle", self.idle), ("max", self.max)] {
            if length < LEAST {
                problems.add(format!("[session] {key}"), "must be at least 1m");
            }
        }
        if self.idle > self.max {
            problems.add("[session] idle", "must not be longer than max");
        }
    }
}

/// `[tokens]`: life times of what the provider issues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokensConfig {
    /// An authorization code: at most ten minutes (RFC 6749 4.1.2).
    pub authorization_code: Span,
    pub access_token: Span,
    pub id_token: Span,
    /// A refresh token; each use gives a new one with a new life.
    pub refresh_token: Span,
    /// The refresh tokens of one sign-in all end after this long.
    pub refresh_token_max: Span,
    /// A repeat of a refresh within this time gets the same answer, while the successor is unused.
    pub refresh_token_repeat: Span,
    /// An authorization request that waits for the person.
    pub interaction: Span,
    /// A device that waits to be signed in (RFC 8628).
    pub device_code: Span,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            authorization_code: Span::seconds(60),
            access_token: Span::hours(1),
            id_token: Span::hours(1),
            refresh_token: Span::days(14),
            refresh_token_max: Span::days(180),
            refresh_token_repeat: Span::seconds(5),
            interaction: Span::hours(1),
            device_code: Span::minutes(10),
        }
    }
}

impl TokensConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let (least_code, day) = (Span::seconds(10), Span::days(1));
        for (key, length, least, most) in [
            (
                "authorization_code",
                self.authorization_code,
                least_code,
                Span::minutes(10),
            ),
            ("access_token", self.access_token, LEAST, day),
            ("id_token", self.id_token, LEAST, day),
            (
                "refresh_token_repeat",
                self.refresh_token_repeat,
                Span::seconds(0),
                Span::minutes(1),
            ),
            ("interaction", self.interaction, LEAST, day),
            // Its user code is short: a longer life would need a longer code (RFC 8628 5.1).
            ("device_code", self.device_code, LEAST, Span::minutes(30)),
        ] {
            if !(least..=most).contains(&length) {
                problems.add(format!("[tokens] {key}"), format!("must be {least} to {most}"));
            }
        }
        if self.refresh_token < LEAST {
            problems.add("[tokens] refresh_token", "must be at least 1m");
        }
        if self.refresh_token > self.refresh_token_max {
            problems.add(
                "[tokens] refresh_token",
                "must not be longer than refresh_token_max",
            );
        }
    }
}
