//! Ending what a person is signed in with.

use http::Method;

use super::Management;
use crate::error::{ApiCode, ApiError, Error};
use crate::logto::browser_session::{RawGrants, RawSessions};
use crate::logto::call::{Call, id};
use crate::logto::{BrowserSession, Grant, RevokeGrants};

/// What [`Management::sign_out_everywhere`] has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedOut {
    /// How many sessions.
    pub sessions: usize,
    /// How many grants beyond those that went with the sessions.
    pub grants: usize,
}

impl Management {
    /// Signs a person out everywhere: ends each session with the grants of its apps, then revokes the grants that are left.
    /// Refresh tokens and opaque access tokens are dead then; an access token that is a JWT stays good until it expires, an
    /// hour by default.
    ///
    /// Where one part fails the others are ended all the same, and then the first failure is given: call it again.
    /// A Logto of before 1.42 may have no list of grants: the error is then [`ApiCode::Other`] with status 404, and the sessions
    /// have ended.
    ///
    /// # Errors
    ///
    /// [`ApiError`], and [`ExchangeError`](crate::ExchangeError) when no token can be had.
    pub async fn sign_out_everywhere(&self, user_id: &str) -> Result<SignedOut, Error> {
        let mut signed_out = SignedOut::default();
        let mut failed = None;
        for session in self.sessions(user_id).await? {
            match self.end_session(user_id, &session.id, RevokeGrants::All).await {
                Ok(()) => signed_out.sessions += 1,
                Err(error) => note(&mut failed, error),
            }
        }
        for grant in self.grants(user_id).await? {
            match self.revoke_grant(user_id, &grant.id).await {
                Ok(()) => signed_out.grants += 1,
                Err(error) => note(&mut failed, error),
            }
        }
        match failed {
            None => Ok(signed_out),
            Some(error) => Err(error),
        }
    }

    /// The user's sessions (`GET /api/users/{id}/sessions`).
    ///
    /// # Errors
    ///
    /// As [`sign_out_everywhere`](Self::sign_out_everywhere).
    pub async fn sessions(&self, user_id: &str) -> Result<Vec<BrowserSession>, Error> {
        let path = format!("/api/users/{}/sessions", id(user_id)?);
        let reply = self
            .send(self.call("list the sessions", Method::GET, &path))
            .await?;
        Ok(reply.read::<RawSessions>()?.into_sessions())
    }

    /// Ends a session, and the grants that go with it (`DELETE /api/users/{id}/sessions/{session}`).
    ///
    /// # Errors
    ///
    /// As [`sign_out_everywhere`](Self::sign_out_everywhere), with [`ApiCode::SessionNotFound`] when it has ended.
    pub async fn end_session(
        &self,
        user_id: &str,
        session_id: &str,
        grants: RevokeGrants,
    ) -> Result<(), Error> {
        let path = format!("/api/users/{}/sessions/{}", id(user_id)?, id(session_id)?);
        let mut url = self.inner.endpoint.at(&path);
        if let Some(target) = grants.target() {
            url.query_pairs_mut().append_pair("revokeGrantsTarget", target);
        }
        Ok(self
            .send(Call::new("end a session", Method::DELETE, url))
            .await?
            .done()?)
    }

    /// What apps were granted by the user (`GET /api/users/{id}/grants`).
    ///
    /// # Errors
    ///
    /// As [`sign_out_everywhere`](Self::sign_out_everywhere).
    pub async fn grants(&self, user_id: &str) -> Result<Vec<Grant>, Error> {
        let path = format!("/api/users/{}/grants", id(user_id)?);
        let reply = self
            .send(self.call("list the grants", Method::GET, &path))
            .await?;
        Ok(reply.read::<RawGrants>()?.into_grants())
    }

    /// Revokes what an app was granted: its refresh tokens die (`DELETE /api/users/{id}/grants/{grant}`).
    ///
    /// # Errors
    ///
    /// As [`sign_out_everywhere`](Self::sign_out_everywhere).
    pub async fn revoke_grant(&self, user_id: &str, grant_id: &str) -> Result<(), Error> {
        let path = format!("/api/users/{}/grants/{}", id(user_id)?, id(grant_id)?);
        let call = self.call("revoke a grant", Method::DELETE, &path);
        Ok(self.send(call).await?.done()?)
    }
}

/// Keeps the first failure. What has ended meanwhile is none.
fn note(failed: &mut Option<Error>, error: Error) {
    let has_ended = matches!(
        &error,
        Error::Api(ApiError::Refused {
            code: ApiCode::SessionNotFound | ApiCode::NotFound,
            ..
        })
    );
    if !has_ended && failed.is_none() {
        *failed = Some(error);
    }
}
