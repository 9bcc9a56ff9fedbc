//! One-time tokens: a link that takes the place of a code.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::Method;
use serde::{Deserialize, Serialize};

use super::Management;
use crate::error::Error;
use crate::logto::user::time;
use crate::secret::Secret;

/// What a one-time token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OneTimeTokenPurpose {
    /// To choose a new password.
    ForgotPassword,
    /// To sign in.
    SignIn,
    /// To make an account.
    Register,
}

/// A token that proves an e-mail address once. It goes into the sign-in request as the parameter `one_time_token`, with
/// the same address as login hint, in the very same spelling.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OneTimeToken {
    /// Its id, by which it can be revoked.
    pub id: String,
    /// The address that it proves.
    pub email: String,
    token: Secret,
    /// Until when it may be used.
    #[serde(default, deserialize_with = "time")]
    pub expires_at: Option<SystemTime>,
}

impl OneTimeToken {
    /// The token itself: who has it is taken for the owner of the address. Only into the message to that address with it.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.expose()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    email: &'a str,
    expires_in: u64,
    context: Context,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    interaction_event: &'static str,
}

impl Management {
    /// Makes a one-time token for an e-mail address (`POST /api/one-time-tokens`). It is bound to one purpose: without that,
    /// a token for a reset would also sign in.
    ///
    /// Logto uses it up when the link is opened, before a password is chosen: whoever breaks off needs another. Resets by
    /// one-time token need Logto 1.42 or newer.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError), and [`ExchangeError`](crate::ExchangeError) when no token for the API can be had.
    pub async fn create_one_time_token(
        &self,
        email: &str,
        purpose: OneTimeTokenPurpose,
        lifetime: Duration,
    ) -> Result<OneTimeToken, Error> {
        let call = self.call("make a one-time token", Method::POST, "/api/one-time-tokens");
        let body = Body {
            email,
            expires_in: lifetime.as_secs().max(1),
            context: Context {
                interaction_event: match purpose {
                    OneTimeTokenPurpose::ForgotPassword => "ForgotPassword",
                    OneTimeTokenPurpose::SignIn => "SignIn",
                    OneTimeTokenPurpose::Register => "Register",
                },
            },
        };
        Ok(self.send(call.json(&body)).await?.read()?)
    }
}

/// Without the token and the address.
impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeToken")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
