//! One-time tokens: a link that takes the place of a code.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::Method;
use serde::{Deserialize, Serialize};

use super::Management;
use crate::error::{ApiCode, Error};
use crate::logto::call::id;
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

/// Whether a one-time token was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum OneTimeTokenCheck {
    /// It was, and is used up.
    Right,
    /// It was not, and why.
    Refused(OneTimeTokenRefusal),
}

/// Why a one-time token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OneTimeTokenRefusal {
    /// There is no such token.
    NotFound,
    /// It is of another address, or of the same in another spelling.
    OtherEmail,
    /// Its time is over.
    Expired,
    /// It was used.
    Consumed,
    /// It was revoked.
    Revoked,
}

impl OneTimeTokenRefusal {
    fn of(code: &ApiCode) -> Option<Self> {
        Some(match code {
            ApiCode::TokenNotFound => Self::NotFound,
            ApiCode::TokenEmailMismatch => Self::OtherEmail,
            ApiCode::TokenExpired => Self::Expired,
            ApiCode::TokenConsumed => Self::Consumed,
            ApiCode::TokenRevoked => Self::Revoked,
            _ => return None,
        })
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

#[derive(Serialize)]
struct Brought<'a> {
    email: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
struct Ended {
    status: &'static str,
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

    /// Uses up a token that came to a page of your own, with the address it was sent to (`POST /api/one-time-tokens/verify`). Logto
    /// does not look at its purpose here: take each kind at a page of its own.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError). A token that is not good is none, but [`OneTimeTokenCheck::Refused`].
    pub async fn check_one_time_token(&self, email: &str, token: &str) -> Result<OneTimeTokenCheck, Error> {
        let call = self.call(
            "check a one-time token",
            Method::POST,
            "/api/one-time-tokens/verify",
        );
        let reply = self.send(call.json(&Brought { email, token })).await?;
        if reply.status().is_success() {
            return Ok(OneTimeTokenCheck::Right);
        }
        match OneTimeTokenRefusal::of(&reply.code()) {
            Some(refusal) => Ok(OneTimeTokenCheck::Refused(refusal)),
            None => Err(reply.refusal().into()),
        }
    }

    /// Revokes a token that is not used yet, by its id (`PUT /api/one-time-tokens/{id}/status`).
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError), with [`ApiCode::TokenConsumed`] for one that was used.
    pub async fn revoke_one_time_token(&self, token_id: &str) -> Result<(), Error> {
        let path = format!("/api/one-time-tokens/{}/status", id(token_id)?);
        let call = self.call("revoke a one-time token", Method::PUT, &path);
        Ok(self.send(call.json(&Ended { status: "revoked" })).await?.done()?)
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
