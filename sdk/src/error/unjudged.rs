use super::{Error, Remedy, Verdict, verdict};
use crate::session::Session;

/// A refresh brought tokens that could not be judged, because the provider's keys could not be had. They are dropped; but the refresh token
/// that was sent is used up, and another has taken its place. Keep [`session`](Self::session) in place of the old one, and try
/// again a little later.
#[derive(Debug, thiserror::Error)]
#[error("the refreshed tokens could not be judged, keep the session of this error and try again: {cause}")]
pub struct UnjudgedRefresh {
    session: Box<Session>,
    #[source]
    cause: Box<Error>,
}

impl UnjudgedRefresh {
    pub(crate) fn new(session: Session, cause: Error) -> Self {
        Self {
            session: Box::new(session),
            cause: Box::new(cause),
        }
    }

    /// The session as it was, with the refresh token that is now valid.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Why the keys could not be had: [`DiscoveryError`](crate::DiscoveryError), or
    /// [`IdTokenError::UnknownKey`](crate::IdTokenError::UnknownKey).
    #[must_use]
    pub fn cause(&self) -> &Error {
        &self.cause
    }

    pub(super) fn verdict(&self) -> Verdict {
        verdict("refresh.unjudged", self.cause.fault(), Remedy::RetryLater)
    }
}
