//! Protocol errors: the closed codes of the RFCs, a public word on what to do, and a private one for the log.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use keyback_core::ports::Failure as LimitFailure;
use keyback_core::rate_limit::RetryAfter;
use serde::Serialize;

use crate::store::StoreError;

/// An error code of RFC 6749 (4.1.2.1, 5.2), RFC 6750 (3.1), RFC 7009, RFC 8628 (3.5), RFC 8707, OIDC Core 3.1.2.6, or
/// OIDC Core Unmet Authentication Requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
    InvalidScope,
    InvalidTarget,
    InvalidToken,
    InsufficientScope,
    AccessDenied,
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    LoginRequired,
    ConsentRequired,
    UnmetAuthenticationRequirements,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    ServerError,
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The status of a direct answer; at a redirect URI the code alone travels.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An answer that refuses a protocol request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct ProtocolError {
    code: ErrorCode,
    /// ASCII without `"` and `\` (RFC 6749 4.1.2.1); never holds a secret or what the request said.
    description: Cow<'static, str>,
    challenge: Option<Challenge>,
    /// Seconds after which the same request may be sent again: a limit has refused it.
    retry_after: Option<u64>,
}

/// The `WWW-Authenticate` of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    /// The client tried HTTP Basic (RFC 6749 5.2).
    Basic,
    /// A bearer token was missing or bad (RFC 6750 3).
    Bearer { named: bool },
}

impl ProtocolError {
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            challenge: None,
            retry_after: None,
        }
    }

    /// A limit has refused the request: 429 with `Retry-After`, and `temporarily_unavailable` at a redirect URI.
    pub fn too_often(wait: RetryAfter, description: &'static str) -> Self {
        Self {
            // Rounded up: sooner is too soon.
            retry_after: Some(wait.0.as_secs() + u64::from(wait.0.subsec_nanos() > 0)),
            ..Self::new(ErrorCode::TemporarilyUnavailable, description)
        }
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    /// The client is not who it says. One description for all reasons: which ids exist is nobody's business.
    pub fn invalid_client(tried_basic: bool) -> Self {
        let description = "The client is unknown, its secret or assertion is wrong, or it must authenticate in another \
                           way: web and machine apps with their secret or key, others with none.";
        Self {
            code: ErrorCode::InvalidClient,
            description: description.into(),
            challenge: tried_basic.then_some(Challenge::Basic),
            retry_after: None,
        }
    }

    /// No bearer token was sent: the answer names no error (RFC 6750 3.1).
    pub fn no_token() -> Self {
        Self {
            code: ErrorCode::InvalidToken,
            description: "Send the access token in the header Authorization: Bearer.".into(),
            challenge: Some(Challenge::Bearer { named: false }),
            retry_after: None,
        }
    }

    /// A refusal of a bearer token (RFC 6750 3.1).
    pub fn bearer(code: ErrorCode, description: &'static str) -> Self {
        Self::new(code, description).with_bearer_challenge()
    }

    /// The same refusal, told to whoever was to send a bearer token (RFC 6750 3).
    #[must_use]
    pub fn with_bearer_challenge(mut self) -> Self {
        self.challenge = Some(Challenge::Bearer { named: true });
        self
    }

    /// Writes the private side of the error to the log.
    #[must_use]
    pub fn because(self, detail: impl std::fmt::Display) -> Self {
        tracing::info!(code = self.code.as_str(), %detail, "protocol request refused");
        self
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    fn challenge(&self) -> Option<HeaderValue> {
        let value = match self.challenge? {
            Challenge::Basic => "Basic realm=\"keyback\", charset=\"UTF-8\"".to_owned(),
            Challenge::Bearer { named: false } => "Bearer realm=\"keyback\"".to_owned(),
            Challenge::Bearer { named: true } => format!(
                "Bearer realm=\"keyback\", error=\"{}\", error_description=\"{}\"",
                self.code.as_str(),
                self.description
            ),
        };
        HeaderValue::from_str(&value).ok()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl IntoResponse for ProtocolError {
    /// The direct answer of RFC 6749 5.2.
    fn into_response(self) -> Response {
        let body = Body {
            error: self.code.as_str(),
            error_description: &self.description,
        };
        let mut response = (self.code.status(), super::no_store(), Json(body)).into_response();
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Why the provider could not do its work. Never shown to anybody: it becomes a `server_error`.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no key of {0} can sign: is the root key that sealed it still in [secrets]?")]
    NoKey(&'static str),
    #[error("a token could not be signed")]
    Signing,
    #[error("an answer could not be written: {0}")]
    Encoding(#[from] serde_json::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Failure> for ProtocolError {
    fn from(failure: Failure) -> Self {
        tracing::error!(error = %failure, "the provider failed");
        Self::new(
            ErrorCode::ServerError,
            "The provider failed and gave nothing. Try again.",
        )
    }
}

impl From<LimitFailure> for ProtocolError {
    fn from(failure: LimitFailure) -> Self {
        tracing::error!(error = %failure, "a limit could not be asked");
        Self::new(
            ErrorCode::ServerError,
            "The provider failed and gave nothing. Try again.",
        )
    }
}

impl From<StoreError> for ProtocolError {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl From<sqlx::Error> for ProtocolError {
    fn from(error: sqlx::Error) -> Self {
        Failure::from(error).into()
    }
}
