//! What the layers of tower have in common.

use std::pin::Pin;

/// The future of a service behind a layer.
pub(crate) type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The service that was made ready, to be called. A clone takes its place, which is made ready for the next call.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let next = service.clone();
    std::mem::replace(service, next)
}
