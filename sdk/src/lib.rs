#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod callback;
mod client;
mod clock;
mod error;
mod http;
mod random;
mod secret;
mod secure_url;
mod session;
mod sign_in;

pub use url::Url;

pub use self::client::{Algorithm, Client, ClientAuthentication, ClientBuilder, Provider};
pub use self::clock::{Clock, SystemClock};
pub use self::error::{
    CallbackError, ConfigError, CookieError, DiscoveryError, Document, Error, ExchangeError, Fault,
    IdTokenError, ProviderError, Remedy, SignInError, SignOutError, UserInfoError,
};
#[cfg(feature = "reqwest")]
pub use self::http::ReqwestTransport;
pub use self::http::{HttpTransport, TransportCause, TransportError, TransportFuture};
pub use self::random::{Random, RandomError, SystemRandom};
pub use self::session::{Claims, Session, TokenSet};
pub use self::sign_in::{
    CookieSealer, FirstScreen, Identifier, PendingSignIn, Prompt, Purpose, ReturnPath, ReturnPathError,
    SignIn, SignInBuilder,
};
