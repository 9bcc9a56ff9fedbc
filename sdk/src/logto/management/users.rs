//! One account.

use http::{Method, StatusCode};
use serde_json::json;

use super::Management;
use crate::error::{ApiCode, Error};
use crate::logto::User;
use crate::logto::call::id;

impl Management {
    /// The account of this id (`GET /api/users/{id}`), or `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError), and [`ExchangeError`](crate::ExchangeError) when no token can be had.
    pub async fn user(&self, user_id: &str) -> Result<Option<User>, Error> {
        let path = format!("/api/users/{}", id(user_id)?);
        let reply = self.send(self.call("read a user", Method::GET, &path)).await?;
        let is_known = reply.status() != StatusCode::NOT_FOUND
            || !matches!(reply.code(), ApiCode::NotFound | ApiCode::UserNotFound);
        if is_known {
            Ok(Some(reply.read()?))
        } else {
            Ok(None)
        }
    }

    /// Suspends the account or lifts the suspension (`PATCH /api/users/{id}/is-suspended`). Suspending signs the person
    /// out everywhere; lifting it brings no session back.
    ///
    /// # Errors
    ///
    /// As [`user`](Self::user).
    pub async fn set_suspended(&self, user_id: &str, suspended: bool) -> Result<User, Error> {
        let path = format!("/api/users/{}/is-suspended", id(user_id)?);
        let call = self.call("suspend a user", Method::PATCH, &path);
        let body = json!({ "isSuspended": suspended });
        Ok(self.send(call.json(&body)).await?.read()?)
    }
}
