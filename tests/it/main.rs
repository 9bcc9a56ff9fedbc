//! The whole product, from outside: journeys, races, bad input, crashes, and the command.

#![expect(clippy::unwrap_used, reason = "tests fail where they stand")]

mod api;
mod audit;
mod authorization_request;
mod bad_input;
mod breached;
mod command;
mod conformance;
mod crash;
mod equal_answers;
mod hot_path;
mod journeys;
mod key_rotation;
mod kill;
mod limit_races;
mod load;
mod logout;
mod logs;
mod lying_webhooks;
mod metrics;
mod oidc_provider;
mod overtaken;
mod pages;
mod panics;
mod providers;
mod quick_start;
mod races;
mod root_keys;
mod smtp;
mod token_races;
mod walk;
mod webhooks;
