//! The command as people call it: a process, its output, its exit code.

mod apps_and_keys;
mod configuration;
mod demo;
mod examples;
mod users;
