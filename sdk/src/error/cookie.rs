use super::{Fault, Remedy, Verdict, verdict};

/// Why the cookie of a pending sign-in could not be made or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The callback has no `state`, so that it belongs to no cookie.
    #[error("the callback has no state")]
    NoState,
    /// The browser sent no cookie for this callback: it expired, was cleared, or the callback was opened in
    /// another browser.
    #[error("there is no cookie for this callback")]
    Missing,
    /// The cookie was not sealed by one of the keys for this name, or it was changed.
    #[error("the cookie cannot be opened with any of the keys")]
    Sealed,
    /// The cookie was opened, but its contents are of another version.
    #[error("the cookie's contents are of another version")]
    Version,
    /// The pending sign-in does not fit a cookie: browsers drop those of 4096 bytes and more.
    #[error("the pending sign-in is too large for a cookie")]
    TooLarge,
    /// The key is shorter than 32 bytes.
    #[error("a sealing key needs at least 32 bytes")]
    ShortKey,
    /// The encryption failed.
    #[error("the cookie could not be sealed")]
    Seal,
}

impl CookieError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::NoState => verdict("cookie.no_state", Fault::Visitor, Remedy::SignInAgain),
            Self::Missing => verdict("cookie.missing", Fault::Visitor, Remedy::SignInAgain),
            Self::Sealed => verdict("cookie.sealed", Fault::Visitor, Remedy::SignInAgain),
            Self::Version => verdict("cookie.version", Fault::Application, Remedy::SignInAgain),
            Self::TooLarge => verdict("cookie.too_large", Fault::Application, Remedy::FixApplication),
            Self::ShortKey => verdict("cookie.short_key", Fault::Application, Remedy::FixApplication),
            Self::Seal => verdict("cookie.seal", Fault::Application, Remedy::RetryLater),
        }
    }
}
