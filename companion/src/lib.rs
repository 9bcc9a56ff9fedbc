//! Keyback's companion: a small server that hosts the self-hosted reset endpoint, the reset pages it leads to,
//! and an embedded OpenID provider that owns the accounts.
//!
//! ```text
//! main → cli → app (composition root) → pages, api, oidc, jobs → keyback-core ← backends, connectors, store
//! ```

mod accounts;
pub mod api;
pub mod app;
pub mod backends;
pub mod breakers;
pub mod captcha;
pub mod cli;
pub mod config;
pub mod connectors;
pub mod demo;
pub mod device;
pub mod fail_point;
pub mod hashing;
pub mod home;
pub mod http;
pub mod import;
pub mod jobs;
pub mod logout;
mod logto_account;
pub mod messages;
pub mod metrics;
pub mod notices;
pub mod oidc;
pub mod outbox;
pub mod outgoing;
pub mod pages;
pub mod profile;
pub mod refusals;
pub mod relying_party;
pub mod reset_links;
pub mod secrets;
pub mod serve;
pub mod store;
mod text_messages;
pub mod time_text;
pub mod token_flows;
pub mod views;
pub mod webhooks;
