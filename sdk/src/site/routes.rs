//! The routes: which request is answered by what.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use url::form_urlencoded;

use super::pages::{Answer, empty, failure, only, page, see_other};
use super::{Site, Visit, guard};
use crate::error::Error;
use crate::logto::webhook::{Delivery, Event, HandlerError, Received};
use crate::sign_in::{ReturnPath, SignIn, SignInBuilder};

/// The query parameter of the sign-in route.
pub(super) const RETURN_TO: &str = "return_to";

/// The routes of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    SignIn,
    ForgotPassword,
    Callback,
    SignOut,
    BackChannelLogout,
    Webhooks,
}

impl Site {
    /// The answer to a request for one of this site's own routes; `None` for all others.
    pub async fn answer(&self, request: &Request<Bytes>) -> Option<http::Response<Bytes>> {
        let route = self.route(request.uri().path())?;
        let (methods, allow): (&[Method], _) = match route {
            Route::SignIn | Route::ForgotPassword => (&[Method::GET], "GET"),
            // By POST come the answers to sign-ins that asked for it.
            Route::Callback => (&[Method::GET, Method::POST], "GET, POST"),
            Route::SignOut | Route::BackChannelLogout | Route::Webhooks => (&[Method::POST], "POST"),
        };
        if !methods.contains(request.method()) {
            return Some(only(allow));
        }
        let visit = self.visit(request.headers());
        let outcome = match route {
            Route::SignIn => self.sign_in(&visit, request).await,
            Route::ForgotPassword => self.forgot_password(&visit, request).await,
            Route::Callback => self.callback(&visit, request).await,
            Route::SignOut => self.sign_out(&visit, request.headers()).await,
            Route::BackChannelLogout => Ok(self.back_channel_logout(request.body()).await),
            Route::Webhooks => self.webhook(request.headers(), request.body()).await,
        };
        let mut answer = outcome.unwrap_or_else(|error| self.explain(&error));
        visit.finish(answer.headers_mut());
        Some(answer)
    }

    /// Which route this path is.
    pub(super) fn route(&self, path: &str) -> Option<Route> {
        let paths = self.paths();
        if path == self.client().redirect_uri().path() {
            Some(Route::Callback)
        } else if path == paths.sign_in {
            Some(Route::SignIn)
        } else if path == paths.forgot_password {
            Some(Route::ForgotPassword)
        } else if path == paths.sign_out {
            Some(Route::SignOut)
        } else if path == paths.back_channel_logout {
            Some(Route::BackChannelLogout)
        } else if path == paths.webhooks && self.inner.webhooks.is_some() {
            Some(Route::Webhooks)
        } else {
            None
        }
    }

    pub(super) fn explain(&self, error: &Error) -> Answer {
        tracing::warn!(code = error.code(), "{error}");
        match &self.inner.explaining {
            Some(explain) => explain(error),
            None => failure(error),
        }
    }

    async fn sign_in(&self, visit: &Visit, request: &Request<Bytes>) -> Result<Answer, Error> {
        let return_path = return_path(request);
        // Whoever is signed in has nothing to do there, and another site could have sent them.
        if visit.signed_in().await?.is_some() {
            return Ok(see_other(return_path.as_str()));
        }
        self.leave(visit, request, self.client().sign_in().return_path(return_path))
            .await
    }

    /// Whoever is signed in stays so until the callback: anybody may have sent them here.
    async fn forgot_password(&self, visit: &Visit, request: &Request<Bytes>) -> Result<Answer, Error> {
        let return_path = return_path(request);
        self.leave(
            visit,
            request,
            self.client().forgot_password().return_path(return_path),
        )
        .await
    }

    /// To the provider, with a cookie that knows the way back.
    async fn leave(
        &self,
        visit: &Visit,
        request: &Request<Bytes>,
        asked: SignInBuilder,
    ) -> Result<Answer, Error> {
        if !guard::is_navigation(request.headers()) {
            return Ok(empty(StatusCode::FORBIDDEN));
        }
        let asked = match &self.inner.asking {
            Some(ask) => ask(asked),
            None => asked,
        };
        let SignIn { url, pending } = asked.start().await?;
        for cookie in self.inner.sealer.set_cookies(&pending, visit.cookie_header())? {
            visit.set_cookie(cookie);
        }
        Ok(see_other(url.as_str()))
    }

    async fn sign_out(&self, visit: &Visit, headers: &HeaderMap) -> Result<Answer, Error> {
        if !guard::is_own_form(headers, self.client().redirect_uri()) {
            return Ok(page(
                StatusCode::FORBIDDEN,
                "Please sign out on a page of this site.",
            ));
        }
        visit.clear_id();
        let Some(signed_in) = visit.signed_in().await? else {
            return Ok(see_other(&self.paths().signed_out));
        };
        let out = signed_in
            .sign_out(&self.address(&self.paths().signed_out))
            .await?;
        self.revoke(out.revocation).await;
        Ok(match out.url {
            Some(url) => see_other(url.as_str()),
            None => see_other(&self.paths().signed_out),
        })
    }

    async fn back_channel_logout(&self, body: &[u8]) -> Answer {
        empty(self.sessions().back_channel_logout(body).await.status)
    }

    async fn webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Error> {
        let Some(receiver) = &self.inner.webhooks else {
            return Ok(empty(StatusCode::NOT_FOUND));
        };
        let handle = |delivery| self.handle(delivery);
        match receiver
            .receive(&*self.inner.deliveries, headers, body, handle)
            .await
        {
            Ok(Received::Handled | Received::Repeated) => Ok(empty(StatusCode::NO_CONTENT)),
            Err(error) => {
                tracing::warn!(code = error.code(), "a webhook was not handled: {error}");
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                Ok(empty(status))
            }
        }
    }

    async fn handle(&self, delivery: Delivery) -> Result<(), HandlerError> {
        if let Event::PostResetPassword(reset) = delivery.event() {
            let at = delivery
                .created_at()
                .unwrap_or_else(|| self.client().provider_now());
            // Sent again later, it ends no session that began after the reset.
            self.sessions().end_all_begun_before(&reset.user.id, at).await?;
        }
        if let Some(listener) = &self.inner.on_webhook {
            listener(&delivery);
        }
        Ok(())
    }
}

/// Where the visitor wants to go afterwards: the start page, unless it is a path of this site.
fn return_path(request: &Request<Bytes>) -> ReturnPath {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == RETURN_TO)
        .and_then(|(_, path)| ReturnPath::parse(&path).ok())
        .unwrap_or_default()
}
