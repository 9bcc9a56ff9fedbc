//! One-time codes for pages of one's own.

use std::collections::BTreeMap;

use http::Method;

use super::Management;
use crate::error::Error;
use crate::logto::{CodeRefusal, Recipient};

/// Whether a code was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum CodeCheck {
    /// It was, and is used up.
    Right,
    /// It was not, and why.
    Refused(CodeRefusal),
}

impl Management {
    /// Sends a code (`POST /api/verification-codes`). Logto sends it **to anybody, with or without an account**: ask whether
    /// there is one, and answer the visitor alike, at the same pace.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError), with [`ApiCode::MessageRateLimited`](crate::ApiCode::MessageRateLimited) after ten
    /// codes within ten minutes and [`ApiCode::ConnectorNotFound`](crate::ApiCode::ConnectorNotFound) where nothing carries
    /// them.
    pub async fn send_code(&self, recipient: &Recipient) -> Result<(), Error> {
        let call = self.call("send a code", Method::POST, "/api/verification-codes");
        let body = BTreeMap::from([recipient.parts()]);
        Ok(self.send(call.json(&body)).await?.done()?)
    }

    /// Whether the code is the one that was sent to the recipient (`POST /api/verification-codes/verify`). It is bound to
    /// the recipient alone: keep in the visitor's session that it was this visitor who proved the address.
    ///
    /// # Errors
    ///
    /// [`ApiError`](crate::ApiError). A wrong code is none, but [`CodeCheck::Refused`].
    pub async fn check_code(&self, recipient: &Recipient, code: &str) -> Result<CodeCheck, Error> {
        let call = self.call("check a code", Method::POST, "/api/verification-codes/verify");
        let body = BTreeMap::from([recipient.parts(), ("verificationCode", code)]);
        let reply = self.send(call.json(&body)).await?;
        if reply.status().is_success() {
            return Ok(CodeCheck::Right);
        }
        match CodeRefusal::of(&reply.code()) {
            Some(refusal) => Ok(CodeCheck::Refused(refusal)),
            None => Err(reply.refusal().into()),
        }
    }
}
