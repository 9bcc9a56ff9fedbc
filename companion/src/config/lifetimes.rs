//! `[session]` and `[tokens]`: how long what the provider gives lives.

use serde::{Deserialize, Serialize};

use super::duration::Span;

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

/// `[tokens]`: life times of what the provider issues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokensConfig {
    /// An authorization code (RFC 6749 4.1.2), at most ten minutes.
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
        }
    }
}
