//! The request out: first screen, PKCE, state and nonce.

mod builder;
mod cookie;
mod entry;
mod extra;
mod first_screen;
mod pending;
mod pkce;
mod prompt;
mod pushed;
mod request;
mod response_mode;
mod return_path;
mod scopes;

use std::fmt;

use url::Url;

pub use self::builder::SignInBuilder;
pub use self::cookie::CookieSealer;
pub use self::first_screen::{DirectSignIn, FirstScreen, Identifier, Purpose};
pub use self::pending::PendingSignIn;
pub use self::prompt::Prompt;
pub(crate) use self::request::is_scope;
pub use self::return_path::{ReturnPath, ReturnPathError};
pub(crate) use self::scopes::requested as requested_scopes;

/// A begun sign-in: where to send the browser, and what to keep until it comes back.
#[must_use = "the browser has to be redirected, and the pending sign-in kept"]
pub struct SignIn {
    /// The authorization request. Redirect the browser here with status 303.
    pub url: Url,
    /// What the callback is checked against.
    pub pending: PendingSignIn,
}

/// Without the URL, which holds state, nonce and whatever the person typed.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
