//! How often anything may happen: a generic cell rate algorithm over one stored integer.
//!
//! | file | holds |
//! |---|---|
//! | `gcra.rs` | the rule and the decision, pure |
//! | `guesses.rs` | wrong codes in a row, pure |
//! | `live_codes.rs` | codes that could be right at one time, pure |
//! | `client_prefix.rs` | what counts as one client |
//! | `key.rs` | what a limit is counted under |
//! | `limits.rs` | the rules, with their numbers |
//! | `reserve.rs` | one limit, and one that many share, in the hands of who asks |
//! | `limiter.rs` | which limits each step asks, in which order |
//! | `sends.rs` | and those of a code that is to be sent |
//! | `code_tries.rs` | and those of a code that is tried |

mod client_prefix;
mod code_tries;
mod gcra;
mod guesses;
mod key;
mod limiter;
mod limits;
mod live_codes;
mod reserve;
mod sends;

pub use client_prefix::ClientPrefix;
pub use gcra::{Decision, LimitRule, TheoreticalArrival};
pub use guesses::GuessRule;
pub use key::{ClientAction, IdentifierHash, IdentifierHasher, LimitKey};
pub use limiter::{Limited, Limiter, RetryAfter};
pub use limits::{ADDRESSES_OF_ACCOUNT, Limits};
pub use live_codes::{CodeRoom, Crowded, LiveCode, LiveCodeRule};
