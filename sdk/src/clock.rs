//! The time, as an argument.

use std::time::SystemTime;

/// Tells the time. Tests and simulations bring their own.
pub trait Clock: Send + Sync {
    /// The current wall-clock time.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the system's time enters"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
