//! Back from the provider.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use url::Url;

use super::pages::{Answer, empty, see_other};
use super::{Site, Visit, guard};
use crate::callback::PostedCallback;
use crate::error::{CallbackError, CookieError, Error};
use crate::sign_in::PendingSignIn;

/// How the provider's answer came. Only the pending sign-in knows how it was to come, and `finish` compares.
enum Arrived {
    /// By a redirect.
    Led(Url),
    /// As a form ([`form_post`](crate::SignInBuilder::form_post)). The session's own cookies are Lax and not with it: an earlier
    /// session of this browser is not seen, only taken the place of.
    Posted(PostedCallback),
}

impl Site {
    pub(super) async fn callback(&self, visit: &Visit, request: &Request<Bytes>) -> Result<Answer, Error> {
        if !guard::is_navigation(request.headers()) {
            return Ok(empty(StatusCode::FORBIDDEN));
        }
        let answer = self.arrived(request)?;
        let pending = match self.open(visit.cookie_header(), &answer) {
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
        let session = match answer {
            Arrived::Led(url) => self.client().finish(pending, url).await?,
            Arrived::Posted(callback) => self.client().finish_posted(pending, &callback).await?,
        };
        // A new id for the new session: one that was planted before is worth nothing.
        let signed_in = visit.sessions().begin(&session).await?;
        visit.end_earlier().await?;
        visit.keep_id(signed_in.id());
        Ok(see_other(session.return_path()))
    }

    fn arrived(&self, request: &Request<Bytes>) -> Result<Arrived, Error> {
        let target = request.uri().to_string();
        Ok(if request.method() == Method::POST {
            Arrived::Posted(self.client().posted_callback(&target, request.body())?)
        } else {
            Arrived::Led(self.client().callback_url(&target)?)
        })
    }

    fn open(&self, cookie_header: &str, answer: &Arrived) -> Result<PendingSignIn, CookieError> {
        let sealer = &self.inner.sealer;
        match answer {
            Arrived::Led(url) => sealer.open(cookie_header, url, self.client()),
            Arrived::Posted(callback) => sealer.open_posted(cookie_header, callback, self.client()),
        }
    }
}
