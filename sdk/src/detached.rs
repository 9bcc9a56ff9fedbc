//! Work that goes on when whoever began it is gone: in a task of tokio, where it runs. On any other run time nobody else can
//! start one, and the work is the caller's.

use tokio::runtime::Handle;
use tracing::Instrument as _;

/// What the work brings. Whoever is cancelled while they wait for it leaves it running. `None` when it has come to no end: the run time has
/// shut down, or the work has panicked.
pub(crate) async fn see_through<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn(work.in_current_span()).await.ok(),
        Err(_) => Some(work.await),
    }
}

/// The work, and nobody waits for it where it has a task of its own.
pub(crate) async fn begin(work: impl Future<Output = ()> + Send + 'static) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(work.in_current_span())),
        Err(_) => work.await,
    }
}
