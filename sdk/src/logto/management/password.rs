//! Passwords of anybody's account. Here no policy holds but the one that is asked for.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Management;
use crate::error::{ApiCode, Error};
use crate::logto::call::id;
use crate::logto::password::PasswordBody;
use crate::logto::{Password, PasswordIssue, User};

/// What the policy says of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasswordCheck {
    /// It breaks no rule.
    Accepted,
    /// It breaks rules, each of which is named.
    Rejected(Vec<PasswordIssue>),
}

#[derive(Deserialize)]
struct CheckAnswer {
    result: bool,
    #[serde(default)]
    issues: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HasPassword {
    has_password: bool,
}

impl Management {
    /// What the operator's policy says of a password (`POST /api/sign-in-exp/default/check-password`). Give the person
    /// whose it will be: by default a password must not be made of their name or address, and Logto refuses to judge it
    /// without knowing them.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError), and [`ExchangeError`](crate::ExchangeError) when no token can be had.
    pub async fn check_password(
        &self,
        password: impl Into<Password>,
        user_id: Option<&str>,
    ) -> Result<PasswordCheck, Error> {
        let password = password.into();
        let user_id = user_id.map(id).transpose()?;
        let path = "/api/sign-in-exp/default/check-password";
        let call = self.call("check a password", Method::POST, path);
        let reply = self
            .send(call.json(&PasswordBody::of(&password, user_id)))
            .await?;
        // A rejection is 400 with the answer in the body; another 400 is an error.
        if reply.status() == StatusCode::BAD_REQUEST && reply.code() != ApiCode::Other(String::new()) {
            return Err(reply.refusal().into());
        }
        let answer: CheckAnswer = match reply.status() {
            StatusCode::BAD_REQUEST => reply.body()?,
            _ => reply.read()?,
        };
        Ok(if answer.result {
            PasswordCheck::Accepted
        } else {
            PasswordCheck::Rejected(PasswordIssue::parse_all(&answer.issues))
        })
    }

    /// Sets a password (`PATCH /api/users/{id}/password`), **without any policy**: Logto takes "a" as well as a stolen one or
    /// the one before, ends no session, and sends no `PostResetPassword`. Ask
    /// [`check_password`](Self::check_password) first, and [`sign_out_everywhere`](Self::sign_out_everywhere)
    /// afterwards.
    ///
    /// The companion does check: it refuses what its policy refuses and the password that there is, ends every session, and
    /// tells the owner.
    ///
    /// # Errors
    ///
    /// As [`check_password`](Self::check_password); [`ApiCode::NotFound`] for an unknown user. From the companion also
    /// [`ApiCode::PasswordRejected`] and [`ApiCode::SamePassword`].
    pub async fn set_password_unchecked(
        &self,
        user_id: &str,
        password: impl Into<Password>,
    ) -> Result<User, Error> {
        let password = password.into();
        let path = format!("/api/users/{}/password", id(user_id)?);
        let call = self.call("set a password", Method::PATCH, &path);
        Ok(self
            .send(call.json(&PasswordBody::new(&password)))
            .await?
            .read()?)
    }

    /// Whether this is the user's password (`POST /api/users/{id}/password/verify`). Logto counts no tries here: limit them
    /// yourself.
    ///
    /// # Errors
    ///
    /// As [`check_password`](Self::check_password).
    pub async fn is_password(&self, user_id: &str, password: impl Into<Password>) -> Result<bool, Error> {
        let password = password.into();
        let path = format!("/api/users/{}/password/verify", id(user_id)?);
        let call = self.call("verify a password", Method::POST, &path);
        let reply = self.send(call.json(&PasswordBody::new(&password))).await?;
        if reply.code() == ApiCode::InvalidCredentials {
            return Ok(false);
        }
        reply.done()?;
        Ok(true)
    }

    /// Whether the user has a password at all (`GET /api/users/{id}/has-password`).
    ///
    /// # Errors
    ///
    /// As [`check_password`](Self::check_password).
    pub async fn has_password(&self, user_id: &str) -> Result<bool, Error> {
        let path = format!("/api/users/{}/has-password", id(user_id)?);
        let reply = self
            .send(self.call("ask for a password", Method::GET, &path))
            .await?;
        Ok(reply.read::<HasPassword>()?.has_password)
    }

    /// Makes the user choose a new password at the next sign-in, or takes that back
    /// (`PATCH /api/users/{id}/password/expiration`).
    ///
    /// # Errors
    ///
    /// As [`check_password`](Self::check_password); [`ApiCode::PasswordExpirationOff`] where passwords don't expire.
    pub async fn set_password_expired(&self, user_id: &str, expired: bool) -> Result<(), Error> {
        let path = format!("/api/users/{}/password/expiration", id(user_id)?);
        let call = self.call("expire a password", Method::PATCH, &path);
        let body = json!({ "isExpired": expired });
        Ok(self.send(call.json(&body)).await?.done()?)
    }
}
