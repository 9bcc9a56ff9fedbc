//! Back from the provider.

use bytes::Bytes;
use http::{Request, StatusCode};

use super::pages::{Answer, empty, see_other};
use super::{Site, Visit, guard};
use crate::error::{CallbackError, CookieError, Error};

impl Site {
    pub(super) async fn callback(&self, visit: &Visit, request: &Request<Bytes>) -> Result<Answer, Error> {
        if !guard::is_navigation(request.headers()) {
            return Ok(empty(StatusCode::FORBIDDEN));
        }
        let url = self.client().callback_url(&request.uri().to_string())?;
        let pending = match self.inner.sealer.open(visit.cookie_header(), &url, self.client()) {
            Ok(pending) => pending,
            // The callback of a sign-in that is done, loaded again: there is nothing to tell.
            Err(CookieError::Missing) if visit.signed_in().await?.is_some() => return Ok(see_other("/")),
            Err(error) => return Err(error.into()),
        };
        // Before the exchange, and whatever comes of it: one request has one answer.
        visit.set_cookie(self.inner.sealer.clear_cookie(&pending));
        let now = self.client().now();
        if !self.inner.used.take(pending.state(), pending.expires_at(), now) {
            return Err(CallbackError::Taken.into());
        }
        let session = self.client().finish(pending, url).await?;
        // A new id for the new session: one that was planted before is worth nothing.
        let signed_in = visit.sessions().begin(&session).await?;
        visit.end_earlier().await?;
        visit.keep_id(signed_in.id());
        Ok(see_other(session.return_path()))
    }
}
