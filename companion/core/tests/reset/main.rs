//! The reset over the ports, told as its visitors' stories. The ports are answered in memory; nothing here waits.

#![expect(clippy::unwrap_used, reason = "a story that can't go on is a failed test")]

mod app_limits;
mod decoys;
mod guesses;
mod journeys;
mod limits;
mod live_codes;
mod memory;
mod overtaken;
mod table;
mod tokens;
mod walk;
mod world;
