use std::sync::Arc;

use super::{Error, Fault, Remedy, Verdict, verdict};
use crate::sessions::StoreError;

/// Why a kept session could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session is over: signed out here or elsewhere, or expired.
    #[error("the session has ended")]
    Ended,
    /// The provider no longer accepts the refresh token (`invalid_grant`): it has ended the session, or the person has
    /// withdrawn what they had granted. The session is over here too.
    #[error("the provider has ended the session (invalid_grant)")]
    EndedByProvider,
    /// The access token has expired, or there never was one for this API, and there is no refresh token: ask for the
    /// scope `offline_access`.
    #[error("there is no refresh token to get an access token with")]
    NoRefreshToken,
    /// New tokens could not be had. The session goes on, and whoever waited for the same tokens gets this too.
    #[error("no new access token could be had: {0}")]
    Refresh(#[source] Arc<Error>),
    /// Others wrote the session again and again while this call tried to.
    #[error("the session is being changed by others at the same time")]
    Busy,
    /// The task of a refresh was stopped before its end: tokio has shut down, or the store or the transport has panicked. What the
    /// provider gave meanwhile may be lost.
    #[error("the refresh of the session was stopped before its end")]
    Interrupted,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sealing key is shorter than 32 bytes.
    #[error("a sealing key needs at least 32 bytes")]
    ShortKey,
    /// The session could not be sealed.
    #[error("the session could not be sealed")]
    Seal,
}

impl SessionError {
    /// Whether the session is over, so that nobody is signed in by it any more.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Ended | Self::EndedByProvider)
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Ended => verdict("session.ended", Fault::Visitor, Remedy::SignInAgain),
            Self::EndedByProvider => {
                verdict("session.ended_by_provider", Fault::Visitor, Remedy::SignInAgain)
            }
            Self::NoRefreshToken => verdict(
                "session.no_refresh_token",
                Fault::Application,
                Remedy::SignInAgain,
            ),
            Self::Refresh(error) => error.verdict(),
            Self::Busy => verdict("session.busy", Fault::Application, Remedy::RetryLater),
            Self::Interrupted => verdict("session.interrupted", Fault::Application, Remedy::RetryLater),
            Self::Store(StoreError::TooLarge { .. }) => {
                verdict("session.too_large", Fault::Application, Remedy::FixApplication)
            }
            Self::Store(_) => verdict("session.store", Fault::Application, Remedy::RetryLater),
            Self::ShortKey => verdict("session.short_key", Fault::Application, Remedy::FixApplication),
            Self::Seal => verdict("session.seal", Fault::Application, Remedy::RetryLater),
        }
    }
}
