//! What Logto and Keyback's companion both speak beyond OpenID Connect.

pub mod webhook;
