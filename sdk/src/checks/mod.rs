//! How a table of checks is run: in order, to the first that fails, with its name in the log.

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod skip;

use crate::error::{AccessTokenError, CallbackError, IdTokenError, LogoutTokenError};

/// An error that the log can name.
pub(crate) trait Coded {
    fn code(&self) -> &'static str;
}

macro_rules! coded {
    ($($error:ty),+ $(,)?) => {$(
        impl Coded for $error {
            fn code(&self) -> &'static str {
                <$error>::code(self)
            }
        }
    )+};
}

coded!(AccessTokenError, CallbackError, IdTokenError, LogoutTokenError);

/// Runs the checks of `table`: everything that is accepted has passed all of them.
///
/// The unit tests of this crate can leave one out, to show that each is needed (`mutations`). That is compiled under
/// `cfg(test)` alone. A feature would be additive: any crate of a program could switch it on for all others. `cfg(test)` is set
/// by Cargo for this crate's own unit tests, and never where it is somebody's dependency, not even in their tests.
pub(crate) fn run<E: Coded>(
    table: &'static str,
    checks: impl IntoIterator<Item = (&'static str, impl FnOnce() -> Result<(), E>)>,
) -> Result<(), E> {
    for (name, check) in checks {
        #[cfg(test)]
        if skip::is_left_out(table, name) {
            continue;
        }
        check().inspect_err(|error| {
            tracing::info!(check = name, code = error.code(), "{table} refused");
        })?;
    }
    Ok(())
}
