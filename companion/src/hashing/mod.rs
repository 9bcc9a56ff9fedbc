//! Password hashes: argon2id (RFC 9106) on threads of their own.
//!
//! A hash takes tens of milliseconds and 19 MiB; on the async threads a handful would stop every page. The
//! pool's threads keep their memory between hashes, so that no allocation, zeroing of fresh pages or page
//! fault is paid per hash, and the memory all hashing can take is fixed when the pool starts.

mod imported;
mod job;
mod kind;
mod legacy;
mod memory;
mod pool;
mod work;
mod workers;

pub use imported::{HashRefused, ImportedHash};
pub use kind::HashKind;
pub use pool::{HashPool, Lane, PoolSettings, Unavailable, Waiting};
pub use work::{HashParams, Verdict};
