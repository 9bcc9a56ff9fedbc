//! The authorization response: the parameters in the callback's query (RFC 6749 section 4.1.2), or in its form.

use std::borrow::Cow;

use url::{Url, form_urlencoded};

use crate::error::CallbackError;

/// No provider's answer is longer, and no browser's URL should be.
const LONGEST: usize = 16 * 1024;

/// The callback as it arrived, with every parameter that means something at most once.
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) error_description: Option<String>,
    /// It came by POST.
    pub(crate) posted: bool,
}

impl Answer {
    pub(crate) fn parse(callback_url: &str) -> Result<Self, CallbackError> {
        check_length(callback_url.len())?;
        let url = Url::parse(callback_url).map_err(|_| CallbackError::Malformed)?;
        let query = url.query().unwrap_or_default().to_owned();
        Self::new(url, &query, false)
    }

    /// An answer that was posted to `url` as a form. Its query, should it have one, says nothing.
    pub(super) fn posted(url: Url, form: &str) -> Result<Self, CallbackError> {
        check_length(form.len())?;
        Self::new(url, form, true)
    }

    fn new(url: Url, parameters: &str, posted: bool) -> Result<Self, CallbackError> {
        Ok(Self {
            state: only(parameters, "state")?,
            code: only(parameters, "code")?.filter(|code| !code.is_empty()),
            issuer: only(parameters, "iss")?,
            error: only(parameters, "error")?,
            error_description: only(parameters, "error_description")?,
            url,
            posted,
        })
    }
}

pub(super) fn check_length(length: usize) -> Result<(), CallbackError> {
    if length > LONGEST {
        Err(CallbackError::TooLarge { limit: LONGEST })
    } else {
        Ok(())
    }
}

/// A request target in origin form or absolute form (RFC 9112 section 3.2). Its scheme and host mean nothing.
pub(crate) fn request_target(text: &str) -> Result<Url, CallbackError> {
    let url = if text.starts_with('/') {
        Url::parse(&format!("http://localhost{text}"))
    } else {
        Url::parse(text)
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(CallbackError::Malformed)
}

/// The `state` of a callback, absolute or as the path and query that a server sees. `None` unless there is
/// exactly one.
pub(crate) fn state_of(callback_url: &str) -> Option<String> {
    if callback_url.len() > LONGEST {
        return None;
    }
    let (_, query) = callback_url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    only(query, "state").ok().flatten()
}

pub(super) fn only(query: &str, name: &'static str) -> Result<Option<String>, CallbackError> {
    let mut values = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == name)
        .map(|(_, value)| Cow::into_owned(value));
    let value = values.next();
    if values.next().is_some() {
        Err(CallbackError::Repeated { name })
    } else {
        Ok(value)
    }
}
