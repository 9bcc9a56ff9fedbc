//! What a request without a good token is answered with (RFC 6750 sections 2.1 and 3).

use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::{AccessTokenError, Error};

/// The answer to a request that may not be served.
#[derive(Debug)]
pub struct Challenge {
    error: Error,
}

/// The one Bearer token of the Authorization header (section 2.1). Tokens in the query or the body are not taken: they would
/// stand in logs.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, AccessTokenError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(if headers.contains_key(AUTHORIZATION) {
            AccessTokenError::BadRequest
        } else {
            AccessTokenError::Missing
        });
    };
    let text = value.to_str().map_err(|_| AccessTokenError::BadRequest)?;
    let (scheme, token) = text.split_once(' ').ok_or(AccessTokenError::BadRequest)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        // Another scheme is none of ours: the request has no token.
        return Err(AccessTokenError::Missing);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.contains([' ', ',']) {
        return Err(AccessTokenError::BadRequest);
    }
    Ok(token)
}

impl Challenge {
    pub(super) fn new(error: Error) -> Self {
        Self { error }
    }

    /// 401 without a good token, 403 where it may not do this, 400 for a header that is none, 503 while the provider's keys
    /// can't be had.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.error {
            Error::AccessToken(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED)
            }
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers of the answer: `WWW-Authenticate` with `error` and, where one is missing, `scope`; or `Retry-After`.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Error::AccessToken(error) = &self.error else {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            return headers;
        };
        // Section 3.1: who sent no token is told no error.
        let value = match error {
            AccessTokenError::Missing => "Bearer".to_owned(),
            AccessTokenError::BadRequest => "Bearer error=\"invalid_request\"".to_owned(),
            AccessTokenError::InsufficientScope { scope } => {
                format!(
                    "Bearer error=\"insufficient_scope\", scope=\"{}\"",
                    scope_value(scope)
                )
            }
            AccessTokenError::NoOrganization => "Bearer error=\"insufficient_scope\"".to_owned(),
            AccessTokenError::Expired { .. } => {
                "Bearer error=\"invalid_token\", error_description=\"the access token expired\"".to_owned()
            }
            _ => "Bearer error=\"invalid_token\"".to_owned(),
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        headers
    }

    /// Why, for the log.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

/// A scope has no quotes and no backslashes (RFC 6749 section 3.3); one that has them is the caller's mistake.
fn scope_value(scope: &str) -> String {
    scope.chars().filter(|c| !matches!(c, '"' | '\\')).collect()
}
