//! How the answer comes back: in the callback's query, or posted as a form (OAuth 2.0 Form Post Response Mode).

use super::SignInBuilder;
use crate::client::Metadata;
use crate::error::SignInError;

pub(super) const FORM_POST: &str = "form_post";

impl SignInBuilder {
    /// Has the provider post its answer as a form, so that the code stands in no URL, no history and no log
    /// (`response_mode=form_post`, OAuth 2.0 Form Post Response Mode section 2).
    ///
    /// The callback is then a POST from the provider's page: take it with
    /// [`posted_callback`](crate::Client::posted_callback), [`CookieSealer::open_posted`](crate::CookieSealer::open_posted) and
    /// [`finish_posted`](crate::Client::finish_posted). An answer that comes by GET is refused, and so is a posted one to a
    /// request without this call.
    ///
    /// Browsers send no `SameSite=Lax` cookie with such a POST. So the cookie of this sign-in, and of no other, is
    /// `SameSite=None; Secure`; it is sealed, lives until the sign-in expires, and is of no use without the provider's answer. The
    /// site's own session cookie, which should be `Lax`, does not come along either: begin the session in the answer to the
    /// POST, and redirect with status 303. `Secure` needs https; browsers make an exception for loopback addresses, Safari
    /// does not.
    pub fn form_post(mut self) -> Self {
        self.form_post = true;
        self
    }

    /// The `response_mode` to send. The query is the default of `response_type=code`, and needs no word.
    pub(super) fn response_mode(&self, metadata: &Metadata) -> Result<Option<&'static str>, SignInError> {
        if !self.form_post {
            return Ok(None);
        }
        match &metadata.response_modes_supported {
            Some(modes) if !modes.iter().any(|mode| mode == FORM_POST) => Err(SignInError::NoFormPost),
            _ => Ok(Some(FORM_POST)),
        }
    }
}
