#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// The provider of the integration tests, which the mutation table uses, knows this crate by its name.
#[cfg(test)]
extern crate self as keyback;

mod callback;
mod checks;
mod client;
mod clock;
mod device;
mod dpop;
mod error;
pub mod logto;
mod random;
mod resource;
mod revocation;
mod secret;
mod secure_url;
mod session;
mod sign_in;
mod transport;

pub use url::Url;
pub use {bytes, http};

pub use self::callback::PostedCallback;
pub use self::client::{
    Algorithm, AssertionAudience, Client, ClientAuthentication, ClientBuilder, ClientKey, Provider,
};
pub use self::clock::{Clock, SystemClock};
pub use self::device::{DevicePoll, DeviceSignIn};
pub use self::dpop::DpopKey;
pub use self::error::{
    CallbackError, ConfigError, CookieError, DeviceError, DiscoveryError, Document, Endpoint, EndpointError,
    Error, ExchangeError, Fault, IdTokenError, LogoutTokenError, ProviderError, Remedy, SignInError,
    SignOutError, UserInfoError, WebhookError,
};
pub use self::random::{Random, RandomError, SystemRandom};
pub use self::session::{ApiAccess, Claims, LogoutToken, Session, TokenSet};
pub use self::sign_in::{
    CookieSealer, FirstScreen, Identifier, PendingSignIn, Prompt, Purpose, ReturnPath, ReturnPathError,
    SignIn, SignInBuilder,
};
#[cfg(feature = "reqwest")]
pub use self::transport::ReqwestTransport;
pub use self::transport::{HttpTransport, TransportCause, TransportError, TransportFuture};
