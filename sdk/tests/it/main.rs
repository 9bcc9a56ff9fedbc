//! The SDK from outside, against a provider in memory that can be made to lie.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

mod callback;
mod configuration;
mod cookie;
mod discovery;
mod hostile_tokens;
mod id_token;
mod keys;
mod logout_token;
mod logto;
mod properties;
mod provider;
mod published;
mod request;
mod resource_server;
mod resources;
mod session;
#[cfg(feature = "testkit")]
mod testkit;
mod tokens;
#[cfg(feature = "reqwest")]
mod transport;
mod webhook;
mod webhook_repeats;
