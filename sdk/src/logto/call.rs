//! One call of an API: address, body, and what the answer says.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::links::has_next;
use crate::error::{ApiCode, ApiError};
use crate::secure_url::{has_credentials, is_secure};
use crate::transport::{Answer, HttpTransport, TransportError, send};

const LONGEST_ID: usize = 128;

/// The root of a Logto or a companion.
#[derive(Clone, Debug)]
pub(super) struct Endpoint(Url);

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let url = Url::parse(text).map_err(|_| ApiError::Endpoint)?;
        let plain = url.query().is_none() && url.fragment().is_none() && !has_credentials(&url);
        if is_secure(&url) && plain && url.path() == "/" {
            Ok(Self(url))
        } else {
            Err(ApiError::Endpoint)
        }
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// `path` below the root. Each piece is known or an [`id`].
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

/// Lets only through what can't turn one address of the API into another.
pub(super) fn id(text: &str) -> Result<&str, ApiError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text)
    } else {
        Err(ApiError::BadId)
    }
}

/// A call, which may be sent twice.
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    url: Url,
    header: Option<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
}

impl Call {
    /// `operation` names the call in spans and errors.
    pub(super) fn new(operation: &'static str, method: Method, url: Url) -> Self {
        Self {
            operation,
            method,
            url,
            header: None,
            body: None,
        }
    }

    /// A JSON body, which may hold a password: its bytes are wiped when the last of them is dropped.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        // Enough that no copy is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
        // Writing texts and numbers into memory can't fail; a body that is missing would be refused.
        if serde_json::to_writer(&mut *bytes, body).is_ok() {
            self.body = Some(Bytes::from_owner(bytes));
        }
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The error for a token that is not accepted.
    pub(super) fn token_refused(&self) -> ApiError {
        ApiError::TokenRefused {
            operation: self.operation,
        }
    }

    pub(super) async fn send(
        &self,
        transport: &dyn HttpTransport,
        access_token: &str,
    ) -> Result<Reply, ApiError> {
        let operation = self.operation;
        let unreachable = |cause| ApiError::Unreachable { operation, cause };
        let request = self.request(access_token).map_err(unreachable)?;
        let span = tracing::debug_span!("logto_api", operation);
        let answer = send(transport, request)
            .instrument(span)
            .await
            .map_err(unreachable)?;
        Ok(Reply { operation, answer })
    }

    fn request(&self, access_token: &str) -> Result<http::Request<Bytes>, TransportError> {
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {access_token}")).map_err(TransportError::other)?;
        bearer.set_sensitive(true);
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(self.url.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer);
        if let Some((name, value)) = &self.header {
            request = request.header(name, value);
        }
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = self.body.clone().unwrap_or_default();
        request.body(body).map_err(TransportError::other)
    }
}

/// The answer to a call.
pub(super) struct Reply {
    operation: &'static str,
    answer: Answer,
}

/// The body of an error. Its `message` is left alone: it may repeat what was sent.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    data: Value,
}

impl Reply {
    pub(super) fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The number of a header.
    pub(super) fn number(&self, header: &str) -> Option<u64> {
        self.answer.headers.get(header)?.to_str().ok()?.parse().ok()
    }

    pub(super) fn has(&self, header: &str) -> bool {
        self.answer.headers.contains_key(header)
    }

    /// Whether the list goes on, as far as the answer tells.
    pub(super) fn has_next_page(&self) -> Option<bool> {
        has_next(&self.answer.headers)
    }

    /// The body of a success, as JSON.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        if !self.answer.status.is_success() {
            return Err(self.refusal());
        }
        self.body()
    }

    /// The body, whatever the status.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let operation = self.operation;
        if !self.answer.is_json() {
            return Err(ApiError::Malformed { operation });
        }
        serde_json::from_slice(&self.answer.body).map_err(|_| ApiError::Malformed { operation })
    }

    /// A success whose body, if there is one, says nothing.
    pub(super) fn done(&self) -> Result<(), ApiError> {
        if self.answer.status.is_success() {
            Ok(())
        } else {
            Err(self.refusal())
        }
    }

    /// Logto's code of an error.
    pub(super) fn code(&self) -> ApiCode {
        ApiCode::parse(&self.error_body().code)
    }

    /// `data` of an error.
    pub(super) fn data(&self) -> Value {
        self.error_body().data
    }

    pub(super) fn refusal(&self) -> ApiError {
        ApiError::Refused {
            operation: self.operation,
            status: self.answer.status.as_u16(),
            code: self.code(),
        }
    }

    fn error_body(&self) -> ErrorBody {
        serde_json::from_slice(&self.answer.body).unwrap_or(ErrorBody {
            code: String::new(),
            data: Value::Null,
        })
    }
}
