//! The provider as the plans of the OpenID Foundation's conformance suite see it: from outside, over HTTP, by a
//! client that knows the specifications alone. Tests are named after the section they prove, their comments name
//! the plan's modules.

mod back_channel;
mod basic;
mod basic_tokens;
mod config;
mod person;
mod relying_party;
mod rp_logout;
