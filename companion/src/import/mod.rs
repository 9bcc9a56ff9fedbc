//! Accounts from other systems: JSON with a person a line, a JSON list, Logto's users, or CSV.
//!
//! ```text
//! source     a file → its entries, one at a time, bounded, with where they stand
//! csv, json  an entry → an object of members
//! record     members named as claims, or as in Logto → an account to be, or everything that is wrong with it
//! run        accounts to be → rows, in one transaction or in several
//! report     what was wrong, and what was done
//! ```

mod csv;
mod json;
mod logto;
mod record;
mod report;
mod run;
mod source;
#[cfg(test)]
mod tests;

pub use record::{Record, Rules};
pub use report::{Outcome, Problem, Report};
pub use run::{ImportError, Options, run};
pub use source::{Format, Place};
