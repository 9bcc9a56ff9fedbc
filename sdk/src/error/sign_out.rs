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
        }
    }
}
