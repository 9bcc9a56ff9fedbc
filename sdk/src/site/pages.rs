//! The answers that a site gives by itself.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};

use crate::error::{Error, Remedy};
use crate::plain_page::plain_page;

pub(super) type Answer = Response<Bytes>;

pub(super) fn see_other(to: &str) -> Answer {
    match HeaderValue::from_str(to) {
        Ok(location) => {
            let mut answer = empty(StatusCode::SEE_OTHER);
            answer.headers_mut().insert(LOCATION, location);
            answer
        }
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Nothing of it may be kept: it depends on who asks.
pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

pub(super) fn only(methods: &'static str) -> Answer {
    let mut answer = empty(StatusCode::METHOD_NOT_ALLOWED);
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// The visitor reads what to do; the cause is in the log.
pub(super) fn failure(error: &Error) -> Answer {
    let (status, words) = match error.remedy() {
        Remedy::RetryLater => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The sign-in service is not answering. Please try again in a moment.",
        ),
        Remedy::SignInAgain => (
            StatusCode::BAD_REQUEST,
            "This sign-in is no longer valid. Please sign in again.",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Signing in is not possible right now.",
        ),
    };
    page(status, words)
}

/// `words` are this crate's own.
pub(super) fn page(status: StatusCode, words: &'static str) -> Answer {
    let mut answer = empty(status);
    let content = format!("<p>{words}</p><p><a href=\"/\">Home</a></p>");
    *answer.body_mut() = plain_page(&content, answer.headers_mut());
    let headers = answer.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}
