//! The SDK from outside, against a provider in memory that can be made to lie.

mod callback;
mod configuration;
mod cookie;
mod discovery;
mod id_token;
mod keys;
mod properties;
mod provider;
mod request;
mod session;
mod tokens;
