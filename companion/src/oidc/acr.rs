//! `acr` (OIDC Core 2): how surely the person was recognised.

/// By a password alone: this provider asks for no second factor.
pub(super) const PASSWORD: &str = "0";

/// The values that a sign-in can reach, as discovery tells them.
pub(super) const SUPPORTED: [&str; 1] = [PASSWORD];
