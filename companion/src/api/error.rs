//! Errors in Logto's form: `{"code", "message", "data"?}`. Messages are our own words and repeat nothing that was sent.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyback_core::identifier::Identifier;
use keyback_core::password::Violation;
use keyback_core::ports::Failure;
use keyback_core::rate_limit::RetryAfter;
use serde_json::{Value, json};

use crate::app::Companion;
use crate::backends::checked_password::CheckError;
use crate::hashing::Unavailable;
use crate::http::client_ip::address_of;
use crate::metrics::{Place, Reason};
use crate::secrets::random_id;
use crate::store::StoreError;
use crate::views::Wait;

pub(super) type ApiResult = Result<Response, ApiError>;

/// Why a call is not answered as it hoped.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The caller's to mend.
    Refused(Refusal),
    /// Waiting helps.
    Busy(Duration),
    /// Ours. The cause is logged and told nobody (SR-68).
    Failed(Arc<dyn Error + Send + Sync>),
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    data: Option<Value>,
    challenge: Option<&'static str>,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub(super) fn refused(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self::Refused(Refusal {
            status,
            code,
            message,
            data: None,
            challenge: None,
            retry_after: None,
        })
    }

    /// No token came.
    pub(super) fn no_token() -> Self {
        let message = "Send the access token in the header Authorization, behind Bearer.";
        Self::refused(
            StatusCode::UNAUTHORIZED,
            "auth.authorization_header_missing",
            message,
        )
        .challenging("Bearer")
    }

    /// The token is nobody's.
    pub(super) fn unauthorized() -> Self {
        let message = "The access token is unknown, expired, revoked, or not for this API. Get another one.";
        Self::refused(StatusCode::UNAUTHORIZED, "auth.unauthorized", message)
            .challenging("Bearer error=\"invalid_token\"")
    }

    /// The token allows less than the call needs.
    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::refused(StatusCode::FORBIDDEN, "auth.forbidden", message)
            .challenging("Bearer error=\"insufficient_scope\"")
    }

    /// The body or the query is not what the call takes.
    pub(super) fn invalid_input(message: &'static str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, "guard.invalid_input", message)
    }

    pub(super) fn invalid_pagination() -> Self {
        let message = "page and page_size are whole numbers from 1 on.";
        Self::refused(StatusCode::BAD_REQUEST, "guard.invalid_pagination", message)
    }

    pub(super) fn not_found() -> Self {
        Self::refused(
            StatusCode::NOT_FOUND,
            "entity.not_found",
            "There is nothing by this name here.",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "This address doesn't know the method; the header Allow names those it knows.";
        Self::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "request.method_not_allowed",
            message,
        )
    }

    /// The password is not the account's.
    pub(super) fn wrong_password() -> Self {
        Self::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "session.invalid_credentials",
            "This is not the password of the account.",
        )
    }

    /// The policy refuses a password: all broken rules, but where it is the one that the account has.
    pub(super) fn weak_password(violations: &[Violation]) -> Self {
        if violations == [Violation::Current] {
            return Self::refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                Violation::Current.code(),
                "The account has this password already.",
            );
        }
        Self::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "password.rejected",
            "The password breaks rules of the policy; data names them.",
        )
        .with_data(json!(violations))
    }

    /// Too many passwords were tried.
    pub(super) fn too_many_tries(RetryAfter(wait): RetryAfter) -> Self {
        let mut error = Self::refused(
            StatusCode::TOO_MANY_REQUESTS,
            "session.verification_blocked_too_many_attempts",
            "Too many passwords or codes were tried for this account; come back when Retry-After says.",
        );
        if let Self::Refused(refusal) = &mut error {
            refusal.retry_after = Some(wait);
        }
        error
    }

    /// Too many messages were sent to one address, or by everybody.
    pub(super) fn too_many_messages(RetryAfter(wait): RetryAfter) -> Self {
        let mut error = Self::refused(
            StatusCode::TOO_MANY_REQUESTS,
            "request.message_rate_limited",
            "Too many messages were sent there; come back when Retry-After says.",
        );
        if let Self::Refused(refusal) = &mut error {
            refusal.retry_after = Some(wait);
        }
        error
    }

    pub(super) fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, code, message)
    }

    /// No code was sent there, or it was used up.
    pub(super) fn no_code() -> Self {
        Self::bad_request(
            "verification_code.not_found",
            "No code was sent there by this app, or it was used: send another one.",
        )
    }

    /// A code is tried for an address that it did not go to.
    pub(super) fn other_recipient(named: &Identifier) -> Self {
        let code = match named {
            Identifier::Email(_) => "verification_code.email_mismatch",
            Identifier::Phone(_) => "verification_code.phone_mismatch",
        };
        Self::bad_request(code, "The code was sent to another recipient.")
    }

    pub(super) fn failed(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(error))
    }

    pub(super) fn with_data(mut self, data: Value) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.data = Some(data);
        }
        self
    }

    /// RFC 6750 3: a refused token is answered with how to bring one.
    fn challenging(mut self, challenge: &'static str) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.challenge = Some(challenge);
        }
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Busy(wait) => Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: "request.busy",
                message: "There is too much to do just now; come back when Retry-After says.",
                data: None,
                challenge: None,
                retry_after: Some(wait),
            }
            .into_response(),
            // `tell_trouble` writes the body.
            Self::Failed(cause) => {
                let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                response.extensions_mut().insert(Cause(cause));
                response
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            body["data"] = data;
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = self.retry_after {
            let seconds = Wait::at_least_a_second(wait).seconds();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What is told in place of a call's answer, by what stands around all routes.
pub(crate) enum Instead<'a> {
    /// It was addressed to another name.
    OtherHost,
    /// A page of another site sent it.
    OtherOrigin,
    /// It took too long.
    GivenUp(Duration),
    /// Its handler panicked.
    Failed(&'a str),
}

impl Instead<'_> {
    /// The answer, in the form of all others of the APIs.
    pub(crate) fn told(self, companion: &Companion) -> Response {
        match self {
            Self::OtherHost => ApiError::refused(
                StatusCode::MISDIRECTED_REQUEST,
                "request.misdirected",
                "This server answers to the host of its public URL alone.",
            )
            .into_response(),
            Self::OtherOrigin => ApiError::refused(
                StatusCode::FORBIDDEN,
                "request.foreign_origin",
                "Pages of other sites may not call this.",
            )
            .into_response(),
            Self::GivenUp(wait) => ApiError::Busy(wait).into_response(),
            Self::Failed(why) => {
                let event_id = random_id(companion.random.as_ref());
                tracing::error!(event_id, error = why, "a call of an API failed");
                failed(&event_id)
            }
        }
    }
}

/// What made a call fail, on its way to the log.
#[derive(Clone)]
struct Cause(Arc<dyn Error + Send + Sync>);

/// Counts what was refused for there being too much, and logs a failure of ours under an id, which alone is told.
pub(super) async fn tell_trouble(
    State(companion): State<Arc<Companion>>,
    request: Request,
    next: Next,
) -> Response {
    let address = address_of(request.extensions());
    let mut response = next.run(request).await;
    let reason = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => Some(Reason::Limit),
        StatusCode::SERVICE_UNAVAILABLE => Some(Reason::Busy),
        _ => None,
    };
    if let (Some(reason), Some(address)) = (reason, address) {
        companion.note_refusal(Place::Api, reason, address);
    }
    let Some(Cause(cause)) = response.extensions_mut().remove() else {
        return response;
    };
    let event_id = random_id(companion.random.as_ref());
    let error = &*cause as &dyn Error;
    tracing::error!(event_id, error, "a call of an API failed");
    failed(&event_id)
}

fn failed(event_id: &str) -> Response {
    let body = json!({
        "code": "internal_server_error",
        "message": "Something failed here; the log tells what, under the event id.",
        "data": { "eventId": event_id },
    });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::failed(error)
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Unavailable> for ApiError {
    fn from(error: Unavailable) -> Self {
        match error {
            Unavailable::Busy { retry_after, .. } => Self::Busy(retry_after),
            error @ Unavailable::Failed(_) => Self::failed(error),
        }
    }
}

impl From<CheckError> for ApiError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(error) => error.into(),
            CheckError::Hashing(error) => error.into(),
        }
    }
}

impl From<Failure> for ApiError {
    fn from(error: Failure) -> Self {
        match error {
            Failure::Busy { retry_after, .. } => Self::Busy(retry_after),
            error @ Failure::Broken { .. } => Self::failed(error),
        }
    }
}
