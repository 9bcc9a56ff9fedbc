//! The Account API: what a person who is signed in may do with their own account.
//!
//! It takes the session's own access token, the opaque one, and Logto's account center must be enabled with
//! `password: Edit` (it is off by default). A change asks for a fresh [`Verification`]: of the password, or of a code that
//! went to the person's own address.
//!
//! ```no_run
//! use keyback::logto::account::{PasswordChange, PasswordVerification};
//! use keyback::{Client, Error, Session};
//!
//! async fn change(auth: &Client, session: &Session, old: String, new: String) -> Result<&'static str, Error> {
//!     let account = auth.account(session)?;
//!     let PasswordVerification::Right(verification) = account.verify_password(old).await? else {
//!         return Ok("That is not your password.");
//!     };
//!     Ok(match account.change_password(&verification, new).await? {
//!         PasswordChange::Changed => "Your password is changed.",
//!         PasswordChange::SameAsBefore => "That is your old password.",
//!         _ => "That password is too weak.", // `Rejected` names each rule that is broken
//!     })
//! }
//! ```
//!
//! Neither a change nor a reset ends any session in Logto. [`end_session`](Account::end_session) does, and
//! [`sign_out_everywhere`](super::management::Management::sign_out_everywhere).

mod password;
mod sessions;
mod verification;

use std::fmt;

use http::{HeaderName, HeaderValue, Method, StatusCode};

pub use self::password::PasswordChange;
pub use self::verification::{CodeVerification, PasswordVerification, SentCode, Verification};
use super::User;
use super::call::{Call, Endpoint, Reply};
use crate::client::Client;
use crate::error::{ApiCode, ApiError, Error};
use crate::secret::Secret;
use crate::session::Session;

const VERIFICATION: HeaderName = HeaderName::from_static("logto-verification-id");

/// The account of who is signed in, by the access token of one session. Made by [`Client::account`].
#[derive(Clone)]
pub struct Account {
    client: Client,
    endpoint: Endpoint,
    access_token: Secret,
}

impl Client {
    /// The account of who is signed in with `session`, at Logto or the companion.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotLogto`] when the issuer does not end with `/oidc`: the address of the API follows from it.
    pub fn account(&self, session: &Session) -> Result<Account, Error> {
        let root = self.issuer().strip_suffix("/oidc").ok_or(ApiError::NotLogto)?;
        Ok(Account {
            client: self.clone(),
            endpoint: Endpoint::parse(root).map_err(|_| ApiError::NotLogto)?,
            access_token: Secret::new(session.access_token()),
        })
    }
}

impl Account {
    /// The account as the person may see it (`GET /api/my-account`).
    ///
    /// # Errors
    ///
    /// [`ApiError`]; of it, [`ApiError::TokenRefused`] calls for [`Client::refresh`].
    pub async fn user(&self) -> Result<User, Error> {
        let call = self.call("read the account", Method::GET, "/api/my-account");
        Ok(self.send(call).await?.read()?)
    }

    fn call(&self, operation: &'static str, method: Method, path: &str) -> Call {
        Call::new(operation, method, self.endpoint.at(path))
    }

    async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        let reply = call.send(self.client.http(), self.access_token.expose()).await?;
        // 401 has two meanings here: the token is not accepted, or the change asks for a verification.
        match reply.code() {
            ApiCode::Unauthorized | ApiCode::NoAuthorization
                if reply.status() == StatusCode::UNAUTHORIZED =>
            {
                Err(call.token_refused())
            }
            _ => Ok(reply),
        }
    }
}

/// The header that shows a verification.
fn shown(verification: &Verification) -> Result<(HeaderName, HeaderValue), ApiError> {
    let mut value = HeaderValue::from_str(verification.id()).map_err(|_| ApiError::BadId)?;
    value.set_sensitive(true);
    Ok((VERIFICATION, value))
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("endpoint", &self.endpoint.url().as_str())
            .finish_non_exhaustive()
    }
}
