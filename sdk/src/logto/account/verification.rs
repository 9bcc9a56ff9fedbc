//! Proving again who one is: what a change asks for.

use std::fmt;
use std::time::SystemTime;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Account;
use crate::error::{ApiCode, ApiError, Error};
use crate::logto::call::id;
use crate::logto::password::PasswordBody;
use crate::logto::{CodeRefusal, Password, Recipient};
use crate::secret::Secret;

/// The person has proved again who they are. It lasts ten minutes, and may be used more than once.
#[derive(Clone)]
pub struct Verification {
    id: Secret,
    expires_at: Option<SystemTime>,
}

/// Whether the password was right.
#[derive(Debug)]
#[must_use]
pub enum PasswordVerification {
    /// It was.
    Right(Verification),
    /// It was not.
    Wrong,
}

/// A code is on its way to the person's own address.
pub struct SentCode {
    recipient: Recipient,
    verification: Verification,
}

/// Whether a code was right.
#[derive(Debug)]
#[must_use]
pub enum CodeVerification {
    /// It was.
    Right(Verification),
    /// It was not, and why.
    Refused(CodeRefusal),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    verification_record_id: String,
    #[serde(default)]
    expires_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeBody<'a> {
    identifier: Value,
    verification_id: &'a str,
    code: &'a str,
}

#[derive(Serialize)]
struct IdentifierBody {
    identifier: Value,
}

impl Account {
    /// Verifies the person by the password (`POST /api/verifications/password`).
    ///
    /// # Errors
    ///
    /// [`ApiError`], with [`ApiCode::TooManyAttempts`] when Logto has locked the identifier for a while.
    pub async fn verify_password(
        &self,
        password: impl Into<Password>,
    ) -> Result<PasswordVerification, Error> {
        let password = password.into();
        let call = self.call("verify the password", Method::POST, "/api/verifications/password");
        let reply = self.send(call.json(&PasswordBody::new(&password))).await?;
        if reply.status() == StatusCode::UNPROCESSABLE_ENTITY && reply.code() == ApiCode::InvalidCredentials {
            return Ok(PasswordVerification::Wrong);
        }
        Ok(PasswordVerification::Right(Verification::of(&reply.read()?)?))
    }

    /// Sends a code, by which [`verify_code`](Self::verify_code) verifies the person
    /// (`POST /api/verifications/verification-code`). It counts for a change only if the recipient is the account's own
    /// primary address or number.
    ///
    /// # Errors
    ///
    /// [`ApiError`], with [`ApiCode::MessageRateLimited`] after ten codes within ten minutes.
    pub async fn send_code(&self, recipient: Recipient) -> Result<SentCode, Error> {
        let call = self.call(
            "send a code",
            Method::POST,
            "/api/verifications/verification-code",
        );
        let identifier = recipient.identifier();
        let reply = self.send(call.json(&IdentifierBody { identifier })).await?;
        let verification = Verification::of(&reply.read()?)?;
        Ok(SentCode {
            recipient,
            verification,
        })
    }

    /// Verifies the person by the code that [`send_code`](Self::send_code) has sent
    /// (`POST /api/verifications/verification-code/verify`).
    ///
    /// # Errors
    ///
    /// [`ApiError`]. A wrong code is none, but [`CodeVerification::Refused`].
    pub async fn verify_code(&self, sent: &SentCode, code: &str) -> Result<CodeVerification, Error> {
        let path = "/api/verifications/verification-code/verify";
        let call = self.call("verify a code", Method::POST, path);
        let body = CodeBody {
            identifier: sent.recipient.identifier(),
            verification_id: sent.verification.id(),
            code,
        };
        let reply = self.send(call.json(&body)).await?;
        if !reply.status().is_success()
            && let Some(refusal) = CodeRefusal::of(&reply.code())
        {
            return Ok(CodeVerification::Refused(refusal));
        }
        let record: Record = reply.read()?;
        Ok(CodeVerification::Right(Verification {
            id: Secret::new(id(&record.verification_record_id)?),
            expires_at: sent.verification.expires_at,
        }))
    }
}

impl Verification {
    /// When it ends, where Logto tells.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    pub(super) fn id(&self) -> &str {
        self.id.expose()
    }

    fn of(record: &Record) -> Result<Self, ApiError> {
        let expires_at = record.expires_at.as_deref();
        let expires_at = expires_at.and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
        Ok(Self {
            id: Secret::new(id(&record.verification_record_id)?),
            expires_at: expires_at.map(SystemTime::from),
        })
    }
}

impl SentCode {
    /// When the code's verification ends, where Logto tells.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.verification.expires_at
    }
}

/// Without the id: who has it may change the password.
impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentCode")
            .field("recipient", &self.recipient)
            .field("expires_at", &self.verification.expires_at)
            .finish_non_exhaustive()
    }
}
