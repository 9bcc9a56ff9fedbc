#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

// The provider of the integration tests, which the mutation table uses, knows this crate by its name.
#[cfg(test)]
extern crate self as keyback;

mod basic;
mod callback;
mod checks;
mod client;
mod clock;
mod clock_drift;
mod cookies;
mod detached;
mod device;
mod dpop;
mod error;
#[cfg(doctest)]
mod forbidden;
mod jws;
#[cfg(feature = "tower")]
mod layered;
pub mod logto;
#[cfg(feature = "loopback")]
mod loopback;
mod plain_page;
mod random;
mod remembered;
mod resource;
pub mod resource_server;
mod revocation;
mod sealing;
mod secret;
mod secure_url;
mod session;
mod sessions;
mod sign_in;
mod site;
#[cfg(feature = "testkit")]
pub mod testkit;
mod transport;

pub use url::Url;
pub use {bytes, http};

pub use self::callback::PostedCallback;
pub use self::client::{
    Algorithm, AssertionAudience, Client, ClientAuthentication, ClientBuilder, ClientKey, Product, Provider,
};
pub use self::clock::{Clock, SystemClock};
pub use self::clock_drift::ClockDrift;
pub use self::device::{DevicePoll, DeviceSignIn};
pub use self::dpop::DpopKey;
pub use self::error::{
    AccessTokenError, ApiCode, ApiError, CallbackError, ConfigError, CookieError, DeviceError,
    DiscoveryError, Document, Endpoint, EndpointError, Error, ExchangeError, Fault, IdTokenError,
    IntrospectionError, LogoutTokenError, ProviderError, Remedy, SessionError, SignInError, SignOutError,
    UnjudgedRefresh, UserInfoError, WebhookError,
};
#[cfg(feature = "loopback")]
pub use self::loopback::{Loopback, LoopbackError};
pub use self::random::{Random, RandomError, SystemRandom};
pub use self::session::{ApiAccess, Claims, LogoutToken, MemoryReplays, ReplayStore, Session, TokenSet};
#[cfg(feature = "tower-sessions")]
pub use self::sessions::TowerSessionStore;
pub use self::sessions::{
    AccessToken, BackChannelAnswer, Context, ContextRequest, CookieStore, FileLogouts, FileStore, LogoutMark,
    LogoutRegistry, MemoryLogouts, MemoryStore, Revocation, Saved, SealedSession, SessionId, SessionKey,
    Sessions, SessionsBuilder, SignOut, SignedIn, StoreCause, StoreError, StoreFuture, TokenStore,
};
pub use self::sign_in::{
    CookieSealer, DirectSignIn, FirstScreen, Identifier, PendingSignIn, Prompt, Purpose, ReturnPath,
    ReturnPathError, SignIn, SignInBuilder,
};
#[cfg(feature = "axum")]
pub use self::site::NotSignedIn;
#[cfg(feature = "tower")]
pub use self::site::SiteService;
pub use self::site::{Paths, Site, SiteBuilder, Visit};
#[cfg(feature = "reqwest")]
pub use self::transport::ReqwestTransport;
pub use self::transport::{HttpTransport, TransportCause, TransportError, TransportFuture};
