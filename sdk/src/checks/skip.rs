//! The check that a test leaves out. It is of the thread, so that tests beside it are not weakened.

use std::cell::Cell;

thread_local! {
    static LEFT_OUT: Cell<Option<(&'static str, &'static str)>> = const { Cell::new(None) };
}

/// One check is left out for as long as this lives.
#[must_use = "the check is run again when this is dropped"]
pub(super) struct Without;

impl Without {
    pub(super) fn check(table: &'static str, name: &'static str) -> Self {
        LEFT_OUT.set(Some((table, name)));
        Self
    }
}

impl Drop for Without {
    fn drop(&mut self) {
        LEFT_OUT.set(None);
    }
}

pub(super) fn is_left_out(table: &str, name: &str) -> bool {
    LEFT_OUT.get().is_some_and(|left_out| left_out == (table, name))
}
