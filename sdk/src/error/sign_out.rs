use super::{Fault, Remedy, Verdict, verdict};

/// Why no sign-out URL could be built (OpenID Connect RP-Initiated Logout).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignOutError {
    /// The provider has no end-session endpoint: end the application's own session only.
    #[error("the provider has no end-session endpoint")]
    NotOffered,
    /// The address to come back to is not https, nor http on a loopback address, nor has it a native application's own
    /// scheme (RFC 8252 section 7.1).
    #[error(
        "the post-logout redirect URI is neither https, nor http on a loopback address, nor of a scheme with a dot in it"
    )]
    RedirectUri,
    /// The provider has no revocation endpoint: the refresh token works until it expires.
    #[error("the provider has no revocation endpoint")]
    NoRevocation,
    /// The provider did not revoke the refresh token (RFC 7009 section 2.2.1).
    #[error("the revocation endpoint answered with status {status}")]
    RevocationRefused {
        /// The HTTP status.
        status: u16,
    },
}

impl SignOutError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::NotOffered => verdict("sign_out.not_offered", Fault::Provider, Remedy::AskProvider),
            Self::RedirectUri => verdict(
                "sign_out.redirect_uri",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::NoRevocation => verdict("sign_out.no_revocation", Fault::Provider, Remedy::AskProvider),
            Self::RevocationRefused {
                status: 500..=599 | 429,
            } => verdict("sign_out.revocation_refused", Fault::Provider, Remedy::RetryLater),
            Self::RevocationRefused { .. } => verdict(
                "sign_out.revocation_refused",
                Fault::Application,
                Remedy::FixApplication,
            ),
        }
    }
}
