use super::{Fault, Remedy, Verdict, verdict};
use crate::random::RandomError;
use crate::sign_in::ReturnPathError;

/// Why an authorization request could not be built.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// An extra parameter has a name that belongs to the protocol.
    #[error("the parameter `{name}` belongs to the protocol and cannot be set as an extra one")]
    ProtocolParameter {
        /// The protocol's name that was asked for.
        name: &'static str,
    },
    /// An extra parameter was given twice (RFC 6749 section 3.1 allows each name once).
    #[error("an extra parameter was given twice")]
    RepeatedParameter,
    /// An extra parameter has no name.
    #[error("an extra parameter has an empty name")]
    EmptyParameter,
    /// The return path leads elsewhere.
    #[error("the return path is refused: {0}")]
    ReturnPath(#[from] ReturnPathError),
    /// `prompt=none` stands alone (OpenID Connect Core section 3.1.2.1), and a reset needs the login prompt.
    #[error("prompt `none` cannot be combined with another prompt, nor with the reset screen")]
    PromptNone,
    /// A scope is empty or holds characters that RFC 6749 section 3.3 forbids.
    #[error("a scope is empty or has characters that a scope cannot have")]
    Scope,
    /// A resource is not an absolute URI without fragment (RFC 8707 section 2).
    #[error("a resource is not an absolute URI without a fragment")]
    Resource,
    /// The provider lists how it answers, and a form is not among it.
    #[error("the provider does not post its answer (form_post): leave `form_post` out")]
    NoFormPost,
    /// The provider has no entry for who forgot the password.
    #[error("this provider has no entry to a password reset: {nearest}")]
    NoResetEntry {
        /// The nearest thing that it has.
        nearest: &'static str,
    },
    /// No state or nonce could be drawn.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl SignInError {
    pub(super) fn verdict(&self) -> Verdict {
        let (code, fault, remedy) = match self {
            Self::ProtocolParameter { .. } => (
                "sign_in.protocol_parameter",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::RepeatedParameter => (
                "sign_in.repeated_parameter",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::EmptyParameter => (
                "sign_in.empty_parameter",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::ReturnPath(_) => ("sign_in.return_path", Fault::Visitor, Remedy::SignInAgain),
            Self::PromptNone => ("sign_in.prompt_none", Fault::Application, Remedy::FixApplication),
            Self::Scope => ("sign_in.scope", Fault::Application, Remedy::FixApplication),
            Self::Resource => ("sign_in.resource", Fault::Application, Remedy::FixApplication),
            Self::NoFormPost => ("sign_in.no_form_post", Fault::Provider, Remedy::FixApplication),
            Self::NoResetEntry { .. } => ("sign_in.no_reset_entry", Fault::Provider, Remedy::FixApplication),
            Self::Random(_) => ("sign_in.random", Fault::Application, Remedy::RetryLater),
        };
        verdict(code, fault, remedy)
    }
}
