//! Companion

pub mod config;
pub mod http;
pub mod messages;
pub mod oidc;
pub mod secrets;
pub mod store;
pub mod views;
