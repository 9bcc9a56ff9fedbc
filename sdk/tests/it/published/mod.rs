//! What a crate that others depend on has to hold.

mod api;
mod manifest;
mod source;
mod tracing;
