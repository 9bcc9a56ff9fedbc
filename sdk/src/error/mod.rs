//! Errors that say whose fault they are and what to do.
//!
//! Every part has its own enum, named for what failed; [`Error`] only unites them. Their texts never hold
//! a URL, a code, a token or anything a stranger sent, so they may be logged as they are.

mod access_token;
mod api;
mod api_code;
mod callback;
mod config;
mod cookie;
mod device;
mod discovery;
mod endpoint;
mod exchange;
mod id_token;
mod introspection;
mod logout_token;
mod session;
mod sign_in;
mod sign_out;
mod unjudged;
mod user_info;
mod webhook;

use std::fmt;

pub use self::access_token::AccessTokenError;
pub use self::api::ApiError;
pub use self::api_code::ApiCode;
pub use self::callback::{CallbackError, ProviderError};
pub use self::config::ConfigError;
pub use self::cookie::CookieError;
pub use self::device::DeviceError;
pub use self::discovery::{DiscoveryError, Document};
pub use self::endpoint::{Endpoint, EndpointError};
pub use self::exchange::ExchangeError;
pub use self::id_token::IdTokenError;
pub use self::introspection::IntrospectionError;
pub use self::logout_token::LogoutTokenError;
pub use self::session::SessionError;
pub use self::sign_in::SignInError;
pub use self::sign_out::SignOutError;
pub use self::unjudged::UnjudgedRefresh;
pub use self::user_info::UserInfoError;
pub use self::webhook::WebhookError;

/// Anything that can go wrong between the first redirect and the sign-out.
///
/// A web application needs three questions answered: is it worth a retry ([`is_retryable`](Self::is_retryable)),
/// what should be done ([`remedy`](Self::remedy)), and what goes into the log ([`code`](Self::code), and
/// `Display`, which tells the cause as well).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client was built with wrong settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The authorization request was asked for with wrong arguments.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The provider's metadata or keys could not be had.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The cookie that holds the pending sign-in is missing or not ours.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// The authorization response is not the answer to this request, or it is a refusal.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The token endpoint did not give tokens.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// Another endpoint where the client proves who it is did not do what it was asked.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A sign-in on a device ended without a session.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The ID token is not acceptable.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// A refresh brought tokens that could not be judged, and the session to keep.
    #[error(transparent)]
    UnjudgedRefresh(#[from] UnjudgedRefresh),
    /// The userinfo endpoint did not give acceptable claims.
    #[error(transparent)]
    UserInfo(#[from] UserInfoError),
    /// A kept session could not be used.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The logout token is not acceptable.
    #[error(transparent)]
    LogoutToken(#[from] LogoutTokenError),
    /// No sign-out URL could be built.
    #[error(transparent)]
    SignOut(#[from] SignOutError),
    /// A webhook's delivery is not acceptable.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Logto's Account or Management API did not do what it was asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// An access token does not open this API.
    #[error(transparent)]
    AccessToken(#[from] AccessTokenError),
    /// The provider did not say what an opaque access token is worth.
    #[error(transparent)]
    Introspection(#[from] IntrospectionError),
}

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// This application: its code or its configuration.
    Application,
    /// The OpenID provider.
    Provider,
    /// The way between the two.
    Network,
    /// The browser or its visitor: an old link, a lost cookie, a cancelled sign-in, or a forged answer.
    Visitor,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// The same call may succeed a little later.
    RetryLater,
    /// Begin a new sign-in.
    SignInAgain,
    /// Correct the application's configuration or code.
    FixApplication,
    /// Ask whoever runs the provider.
    AskProvider,
    /// Compare the clocks of both machines.
    CheckClock,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RetryLater => "try again a little later",
            Self::SignInAgain => "begin a new sign-in",
            Self::FixApplication => "correct the application's configuration",
            Self::AskProvider => "ask whoever runs the provider",
            Self::CheckClock => "check that the clocks of this machine and of the provider agree",
        })
    }
}

/// The judgement on one variant, kept beside its text.
pub(crate) struct Verdict {
    code: &'static str,
    fault: Fault,
    remedy: Remedy,
}

pub(crate) const fn verdict(code: &'static str, fault: Fault, remedy: Remedy) -> Verdict {
    Verdict { code, fault, remedy }
}

macro_rules! explained {
    ($($error:ty),+ $(,)?) => {$(
        impl $error {
            /// A stable name for logs, metrics and help pages.
            #[must_use]
            pub fn code(&self) -> &'static str {
                self.verdict().code
            }

            /// Who has to change something.
            #[must_use]
            pub fn fault(&self) -> Fault {
                self.verdict().fault
            }

            /// What to do about it.
            #[must_use]
            pub fn remedy(&self) -> Remedy {
                self.verdict().remedy
            }

            /// Whether the same call may succeed a little later.
            #[must_use]
            pub fn is_retryable(&self) -> bool {
                self.remedy() == Remedy::RetryLater
            }
        }
    )+};
}

explained!(
    Error,
    ConfigError,
    SignInError,
    DiscoveryError,
    CookieError,
    CallbackError,
    ExchangeError,
    EndpointError,
    DeviceError,
    IdTokenError,
    LogoutTokenError,
    SessionError,
    UnjudgedRefresh,
    UserInfoError,
    SignOutError,
    WebhookError,
    ApiError,
    AccessTokenError,
    IntrospectionError,
);

impl Error {
    /// Nothing is said against an ID token then: the provider's keys, or its new ones, could not be had.
    pub(crate) fn is_for_want_of_keys(&self) -> bool {
        matches!(self, Self::Discovery(_) | Self::IdToken(IdTokenError::UnknownKey))
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Config(error) => error.verdict(),
            Self::SignIn(error) => error.verdict(),
            Self::Discovery(error) => error.verdict(),
            Self::Cookie(error) => error.verdict(),
            Self::Callback(error) => error.verdict(),
            Self::Exchange(error) => error.verdict(),
            Self::Endpoint(error) => error.verdict(),
            Self::Device(error) => error.verdict(),
            Self::IdToken(error) => error.verdict(),
            Self::UnjudgedRefresh(error) => error.verdict(),
            Self::UserInfo(error) => error.verdict(),
            Self::LogoutToken(error) => error.verdict(),
            Self::Session(error) => error.verdict(),
            Self::SignOut(error) => error.verdict(),
            Self::Webhook(error) => error.verdict(),
            Self::Api(error) => error.verdict(),
            Self::AccessToken(error) => error.verdict(),
            Self::Introspection(error) => error.verdict(),
        }
    }
}

/// The name of an algorithm that came from outside, if it has the form of one: whatever else stands there is a stranger's.
pub(crate) fn algorithm_name(text: &str) -> String {
    let is_one = text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_one { text } else { "unknown" }.to_owned()
}

/// Keeps what may be shown of a word that came from outside: its letters, digits and `_ - . :`, at most 64.
pub(crate) fn printable_word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_-.:".contains(*c))
        .take(64)
        .collect()
}
