use std::fmt;
use std::time::Duration;

use super::{Fault, Remedy, Verdict, printable_word, verdict};

/// Why a callback is not the answer to the request it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The callback is not an absolute URL.
    #[error("the callback is not an absolute URL")]
    Malformed,
    /// The callback is longer than any provider's answer.
    #[error("the callback is longer than {limit} bytes")]
    TooLarge {
        /// The most that is accepted.
        limit: usize,
    },
    /// A parameter came twice (RFC 6749 section 3.1): one of them is somebody else's.
    #[error("the callback has the parameter `{name}` more than once")]
    Repeated {
        /// The parameter.
        name: &'static str,
    },
    /// This callback was taken before: it was sent twice, or loaded again.
    #[error("the callback was taken before")]
    Taken,
    /// The callback did not arrive at the redirect URI: scheme, host, port or path differ.
    #[error("the callback did not arrive at the redirect URI")]
    ForeignRedirectUri,
    /// The answer was posted although that was not asked, or the other way round (OAuth 2.0 Form Post Response Mode).
    #[error("the callback came another way than was asked for: by GET in place of POST, or the reverse")]
    ResponseMode,
    /// The pending sign-in was begun by another client or with another provider.
    #[error("the pending sign-in belongs to another client")]
    OtherClient,
    /// The callback has no `state`.
    #[error("the callback has no state")]
    MissingState,
    /// The `state` is not the one that was sent.
    #[error("the state of the callback is not the one that was sent")]
    StateMismatch,
    /// The pending sign-in took too long.
    #[error("the sign-in took too long: it expired {} s ago", .ago.as_secs())]
    Expired {
        /// How long ago it expired.
        ago: Duration,
    },
    /// The provider promises `iss` and the callback has none (RFC 9207 section 2.4).
    #[error("the callback has no iss, although the provider promises it")]
    MissingIssuer,
    /// The `iss` names another provider (RFC 9207): a mix-up attack.
    #[error("the callback comes from another issuer")]
    IssuerMismatch,
    /// The provider answered with an error (RFC 6749 section 4.1.2.1).
    #[error("the provider refused: {0}")]
    Provider(ProviderError),
    /// The callback has neither a code nor an error.
    #[error("the callback has no code")]
    MissingCode,
}

impl CallbackError {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Malformed => verdict("callback.malformed", Fault::Application, Remedy::FixApplication),
            Self::TooLarge { .. } => verdict("callback.too_large", Fault::Visitor, Remedy::SignInAgain),
            Self::Repeated { .. } => verdict("callback.repeated", Fault::Visitor, Remedy::SignInAgain),
            Self::Taken => verdict("callback.taken", Fault::Visitor, Remedy::SignInAgain),
            Self::ForeignRedirectUri => verdict(
                "callback.foreign_redirect_uri",
                Fault::Application,
                Remedy::FixApplication,
            ),
            Self::ResponseMode => verdict("callback.response_mode", Fault::Visitor, Remedy::SignInAgain),
            Self::OtherClient => verdict("callback.other_client", Fault::Visitor, Remedy::SignInAgain),
            Self::MissingState => verdict("callback.missing_state", Fault::Visitor, Remedy::SignInAgain),
            Self::StateMismatch => verdict("callback.state_mismatch", Fault::Visitor, Remedy::SignInAgain),
            Self::Expired { .. } => verdict("callback.expired", Fault::Visitor, Remedy::SignInAgain),
            Self::MissingIssuer => verdict("callback.missing_issuer", Fault::Provider, Remedy::AskProvider),
            Self::IssuerMismatch => verdict("callback.issuer_mismatch", Fault::Visitor, Remedy::SignInAgain),
            Self::Provider(error) => error.verdict(),
            Self::MissingCode => verdict("callback.missing_code", Fault::Provider, Remedy::SignInAgain),
        }
    }
}

/// The provider's own `error`, after the state proved that it is the answer to our request.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderError {
    code: String,
    description: Option<String>,
}

impl ProviderError {
    pub(crate) fn new(code: &str, description: Option<&str>) -> Self {
        Self {
            code: printable_word(code),
            description: description.map(|text| text.chars().filter(|c| !c.is_control()).take(500).collect()),
        }
    }

    /// The error code, such as `access_denied`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The provider's explanation for developers. It is text from outside: escape it before showing it.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    fn verdict(&self) -> Verdict {
        match self.code.as_str() {
            "access_denied" => verdict("callback.access_denied", Fault::Visitor, Remedy::SignInAgain),
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
                verdict(
                    "callback.interaction_required",
                    Fault::Visitor,
                    Remedy::SignInAgain,
                )
            }
            "temporarily_unavailable" | "server_error" => verdict(
                "callback.provider_unavailable",
                Fault::Provider,
                Remedy::SignInAgain,
            ),
            _ => verdict(
                "callback.provider_refused",
                Fault::Application,
                Remedy::FixApplication,
            ),
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.code.is_empty() {
            "an error without a code"
        } else {
            &self.code
        })
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderError")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}
