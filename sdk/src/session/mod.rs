//! After the callback: who signed in, their tokens, and the way out.

mod claims;
pub(crate) mod logout_token;
mod refresh;
mod sign_out;
mod tokens;
mod user_info;

use std::fmt;

pub use self::claims::Claims;
pub use self::logout_token::{LogoutToken, MemoryReplays, ReplayStore};
pub use self::refresh::ApiAccess;
pub(crate) use self::refresh::{NotRenewed, Renewed};
pub use self::tokens::TokenSet;
use crate::dpop::DpopKey;
use crate::secret::Secret;
use crate::sign_in::{Purpose, ReturnPath};

/// A finished sign-in. It exists only if every check has passed.
#[derive(Clone)]
pub struct Session {
    pub(crate) claims: Claims,
    pub(crate) id_token: Secret,
    pub(crate) tokens: TokenSet,
    pub(crate) purpose: Purpose,
    pub(crate) return_path: ReturnPath,
    pub(crate) dpop_key: Option<DpopKey>,
}

impl Session {
    /// Who signed in.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The ID token as the provider signed it. Its use is to name the session at sign-out; it is no key to any API.
    #[must_use]
    pub fn id_token(&self) -> &str {
        self.id_token.expose()
    }

    /// Access token, refresh token, and their circumstances.
    #[must_use]
    pub fn tokens(&self) -> &TokenSet {
        &self.tokens
    }

    /// The bearer token for the provider: [`user_info`](crate::Client::user_info) and the like. One for an API of one's
    /// own comes from [`access_token_for`](crate::Client::access_token_for).
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.tokens.access_token()
    }

    /// The token for new tokens, when `offline_access` was granted.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.tokens.refresh_token()
    }

    /// What this sign-in began as. [`Purpose::ResetPassword`] does not prove that a password was changed: only the
    /// provider's `PostResetPassword` webhook does.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Where the person wanted to go: `/` unless [`return_path`](crate::SignInBuilder::return_path) said otherwise.
    #[must_use]
    pub fn return_path(&self) -> &str {
        self.return_path.as_str()
    }

    /// The key that the access tokens of this session are bound to, with [`ClientBuilder::dpop`](crate::ClientBuilder::dpop)
    /// and a provider that can (RFC 9449). Without it they are bearer tokens.
    #[must_use]
    pub fn dpop_key(&self) -> Option<&DpopKey> {
        self.dpop_key.as_ref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("claims", &self.claims)
            .field("tokens", &self.tokens)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
