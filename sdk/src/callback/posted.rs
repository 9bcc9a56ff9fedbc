//! An answer that was posted as a form (OAuth 2.0 Form Post Response Mode).

use std::fmt;

use url::Url;

use super::answer::{self, Answer};
use crate::client::Client;
use crate::error::{CallbackError, Error};
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::PendingSignIn;

/// A callback that came by POST: where it arrived, and its form. [`Client::posted_callback`] makes one.
pub struct PostedCallback {
    url: Url,
    form: Secret,
}

impl PostedCallback {
    /// The form's `state`, unless it is missing or comes twice.
    pub(crate) fn state(&self) -> Option<String> {
        answer::only(self.form.expose(), "state").ok().flatten()
    }

    pub(super) fn answer(&self) -> Result<Answer, CallbackError> {
        Answer::posted(self.url.clone(), self.form.expose())
    }
}

/// Without the form, which holds the code.
impl fmt::Debug for PostedCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostedCallback").finish_non_exhaustive()
    }
}

impl Client {
    /// A callback that the provider had posted, for a sign-in with [`form_post`](crate::SignInBuilder::form_post).
    ///
    /// `request_target` is the request's, as for [`callback_url`](Self::callback_url): its path is where the callback arrived.
    /// `body` is the form as it came, `application/x-www-form-urlencoded`.
    ///
    /// ```no_run
    /// # use keyback::{Client, CookieSealer, Error, Session};
    /// /// `POST /callback`
    /// async fn callback(
    ///     auth: &Client,
    ///     sealer: &CookieSealer,
    ///     request_target: &str,
    ///     cookie_header: &str,
    ///     body: &[u8],
    /// ) -> Result<Session, Error> {
    ///     let callback = auth.posted_callback(request_target, body)?;
    ///     let pending = sealer.open_posted(cookie_header, &callback, auth)?;
    ///     auth.finish_posted(pending, &callback).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallbackError::Malformed`] for what is no form, [`CallbackError::TooLarge`] for one longer than any answer.
    pub fn posted_callback(
        &self,
        request_target: &str,
        body: impl AsRef<[u8]>,
    ) -> Result<PostedCallback, Error> {
        let body = body.as_ref();
        answer::check_length(body.len())?;
        let form = std::str::from_utf8(body).map_err(|_| CallbackError::Malformed)?;
        Ok(PostedCallback {
            url: self.callback_url(request_target)?,
            form: Secret::new(form),
        })
    }

    /// Ends a sign-in whose answer was posted: [`finish`](Self::finish) with all its checks.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub async fn finish_posted(
        &self,
        pending: PendingSignIn,
        callback: &PostedCallback,
    ) -> Result<Session, Error> {
        self.conclude(pending, callback.answer()?).await
    }
}
