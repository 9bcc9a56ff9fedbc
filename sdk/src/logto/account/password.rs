//! A new password for who is signed in. Here the policy holds.

use http::Method;

use super::{Account, Verification, shown};
use crate::error::{ApiCode, ApiError, Error};
use crate::logto::password::PasswordBody;
use crate::logto::{Password, PasswordIssue};

/// What became of a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum PasswordChange {
    /// It is the password from now on. In Logto sessions live on: end them, if the old one may have been stolen. The companion
    /// has ended them all, and this one's tokens with them: have the person sign in again.
    Changed,
    /// It breaks rules of the policy, each of which is named.
    Rejected(Vec<PasswordIssue>),
    /// It is the password that the account has.
    SameAsBefore,
}

impl Account {
    /// Changes the password (`POST /api/my-account/password`), after the person was verified.
    ///
    /// # Errors
    ///
    /// [`ApiError`], with [`ApiCode::VerificationRequired`] when the verification has expired, and
    /// [`ApiCode::AccountCenterOff`] or [`ApiCode::FieldNotEditable`] when the operator does not allow it.
    pub async fn change_password(
        &self,
        verification: &Verification,
        new: impl Into<Password>,
    ) -> Result<PasswordChange, Error> {
        Ok(self.set_password(Some(verification), &new.into()).await?)
    }

    /// Sets the password of an account that has neither a password nor an address or number to verify: one that came by a
    /// social sign-in.
    ///
    /// # Errors
    ///
    /// As [`change_password`](Self::change_password); [`ApiCode::VerificationRequired`] for any other account.
    pub async fn set_first_password(&self, new: impl Into<Password>) -> Result<PasswordChange, Error> {
        Ok(self.set_password(None, &new.into()).await?)
    }

    async fn set_password(
        &self,
        verification: Option<&Verification>,
        new: &Password,
    ) -> Result<PasswordChange, ApiError> {
        let call = self.call("change the password", Method::POST, "/api/my-account/password");
        let mut call = call.json(&PasswordBody::new(new));
        if let Some(verification) = verification {
            let (name, value) = shown(verification)?;
            call = call.header(name, value);
        }
        let reply = self.send(call).await?;
        match reply.code() {
            _ if reply.status().is_success() => Ok(PasswordChange::Changed),
            ApiCode::PasswordRejected => {
                Ok(PasswordChange::Rejected(PasswordIssue::parse_all(&reply.data())))
            }
            ApiCode::SamePassword => Ok(PasswordChange::SameAsBefore),
            _ => Err(reply.refusal()),
        }
    }
}
