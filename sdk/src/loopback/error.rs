use std::io;
use std::time::Duration;

use crate::error::Error;

/// Why nobody signed in over a loopback redirect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// None of the ports is free.
    #[error("no port of this machine can be had")]
    NoPort(#[source] io::Error),
    /// The client has another redirect URI: give it [`Loopback::redirect_uri`](crate::Loopback::redirect_uri).
    #[error("the client's redirect URI is not that of this listener")]
    OtherRedirectUri,
    /// There is no browser on this machine: sign in by a device code (RFC 8628), or show the address.
    #[error("there is no browser to open")]
    NoBrowser,
    /// Nobody came back from the provider.
    #[error("nobody has signed in for {} s; start again", .after.as_secs())]
    NobodyCame {
        /// How long it waited.
        after: Duration,
    },
    /// The sign-in itself failed.
    #[error(transparent)]
    SignIn(#[from] Error),
}
