//! The command as people call it: a process, its output, its exit code.

mod apps_and_keys;
mod audit;
mod beside_a_server;
mod claims_and_import;
mod configuration;
mod demo;
mod doctor;
mod examples;
mod stats;
mod users;
