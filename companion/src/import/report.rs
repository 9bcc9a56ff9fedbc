//! What an import did, and what was wrong with its file.

use std::fmt;

use super::source::Place;

/// Problems that are kept to be told; more are counted.
const MOST_TOLD: usize = 100;

/// Something that is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub place: Place,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The accounts are in the store.
    Written,
    /// Nothing was to be written: a dry run.
    Checked,
    /// The file has problems. In the store are the accounts that were committed before the first of them: none,
    /// unless the import commits in parts.
    Refused,
}

/// The account of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub outcome: Outcome,
    /// Accounts in the store by this import; by a dry run, that would be.
    pub added: u64,
    /// Of the added, those without a password: a reset sets their first one.
    pub without_password: u64,
    /// Of the added, those with neither e-mail address nor phone number: nobody can reset their password.
    pub without_address: u64,
    /// Entries left alone, because their account was there already.
    pub skipped: u64,
    /// The first hundred problems.
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            outcome: Outcome::Written,
            added: 0,
            without_password: 0,
            without_address: 0,
            skipped: 0,
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    pub(super) fn problem(&mut self, place: Place, what: String) {
        self.problem_count += 1;
        if self.problems.len() < MOST_TOLD {
            self.problems.push(Problem { place, what });
        }
    }
}
