//! Where the person is signed in, and which apps were granted what.

use http::Method;

use super::{Account, Verification, shown};
use crate::error::{ApiError, Error};
use crate::logto::browser_session::{RawGrants, RawSessions};
use crate::logto::call::{Call, id};
use crate::logto::{BrowserSession, Grant, RevokeGrants};

/// All four ask for the scope `urn:logto:scope:sessions`, the account center's field `session`, and a verification.
impl Account {
    /// The person's sessions (`GET /api/my-account/sessions`).
    ///
    /// # Errors
    ///
    /// [`ApiError`].
    pub async fn sessions(&self, verification: &Verification) -> Result<Vec<BrowserSession>, Error> {
        let call = self.call("list the sessions", Method::GET, "/api/my-account/sessions");
        let reply = self.send(verified(call, verification)?).await?;
        Ok(reply.read::<RawSessions>()?.into_sessions())
    }

    /// Ends a session of the person, and the grants that go with it (`DELETE /api/my-account/sessions/{id}`).
    ///
    /// # Errors
    ///
    /// [`ApiError`], with [`ApiCode::SessionNotFound`](crate::ApiCode::SessionNotFound) when it has ended.
    pub async fn end_session(
        &self,
        verification: &Verification,
        session_id: &str,
        grants: RevokeGrants,
    ) -> Result<(), Error> {
        let path = format!("/api/my-account/sessions/{}", id(session_id)?);
        let mut url = self.endpoint.at(&path);
        if let Some(target) = grants.target() {
            url.query_pairs_mut().append_pair("revokeGrantsTarget", target);
        }
        let call = Call::new("end a session", Method::DELETE, url);
        Ok(self.send(verified(call, verification)?).await?.done()?)
    }

    /// What apps were granted (`GET /api/my-account/grants`).
    ///
    /// # Errors
    ///
    /// [`ApiError`].
    pub async fn grants(&self, verification: &Verification) -> Result<Vec<Grant>, Error> {
        let call = self.call("list the grants", Method::GET, "/api/my-account/grants");
        let reply = self.send(verified(call, verification)?).await?;
        Ok(reply.read::<RawGrants>()?.into_grants())
    }

    /// Revokes what an app was granted: its refresh tokens die (`DELETE /api/my-account/grants/{id}`).
    ///
    /// # Errors
    ///
    /// [`ApiError`].
    pub async fn revoke_grant(&self, verification: &Verification, grant_id: &str) -> Result<(), Error> {
        let path = format!("/api/my-account/grants/{}", id(grant_id)?);
        let call = self.call("revoke a grant", Method::DELETE, &path);
        Ok(self.send(verified(call, verification)?).await?.done()?)
    }
}

fn verified(call: Call, verification: &Verification) -> Result<Call, ApiError> {
    let (name, value) = shown(verification)?;
    Ok(call.header(name, value))
}
