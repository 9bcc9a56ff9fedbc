//! The SDK from outside, against a provider in memory that can be made to lie.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

mod callback;
mod client_key;
mod configuration;
mod cookie;
mod device;
mod discovery;
mod dpop;
mod drift;
mod form_post;
mod hostile;
mod hostile_tokens;
mod id_token;
mod keys;
mod logout_token;
mod logto;
#[cfg(feature = "loopback")]
mod loopback;
mod mistakes;
mod profiles;
mod properties;
mod provider;
mod published;
mod pushed;
mod request;
mod resource_server;
mod resources;
mod revocation;
mod seen;
mod session;
mod sessions;
mod site;
#[cfg(feature = "testkit")]
mod testkit;
#[cfg(all(feature = "axum", feature = "testkit"))]
mod testkit_browser;
mod tokens;
#[cfg(feature = "reqwest")]
mod transport;
mod webhook;
mod webhook_events;
mod webhook_logto;
mod webhook_repeats;
