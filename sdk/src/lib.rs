#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod basic;
mod callback;
mod client;
mod clock;
mod error;
#[cfg(doctest)]
mod forbidden;
mod jws;
pub mod logto;
mod random;
mod resource;
pub mod resource_server;
mod secret;
mod secure_url;
mod session;
mod sign_in;
#[cfg(feature = "testkit")]
pub mod testkit;
mod transport;

pub use url::Url;
pub use {bytes, http};

pub use self::client::{Algorithm, Client, ClientAuthentication, ClientBuilder, Provider};
pub use self::clock::{Clock, SystemClock};
pub use self::error::{
    AccessTokenError, ApiCode, ApiError, CallbackError, ConfigError, CookieError, DiscoveryError, Document,
    Error, ExchangeError, Fault, IdTokenError, IntrospectionError, LogoutTokenError, ProviderError, Remedy,
    SignInError, SignOutError, UserInfoError, WebhookError,
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
