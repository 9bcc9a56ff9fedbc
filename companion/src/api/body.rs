//! Bodies of calls: JSON, of a bounded size. Members that nobody asks for have no effect.
//!
//! The copy that is parsed is wiped, and so are members whose type says that they are secret. The pieces in which a body
//! arrives are the connection's: they are freed and not wiped, as is what the parser sets aside for a text with escapes.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::error::ApiError;
use crate::app::Companion;
use crate::http::content_type::is_of_type;

/// A body of the form that the call takes.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Companion>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, companion: &Arc<Companion>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_of_type(&parts.headers, "application/json") {
            return Err(ApiError::refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "guard.invalid_input",
                "Send the body as application/json.",
            ));
        }
        let limited = Limited::new(body, companion.config.server.max_body);
        let bytes = match limited.collect().await {
            Ok(collected) => Zeroizing::new(collected.to_bytes().to_vec()),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(ApiError::refused(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "guard.invalid_input",
                    "The body is larger than this server takes.",
                ));
            }
            Err(_) => {
                return Err(ApiError::invalid_input(
                    "The body did not arrive whole; send it again.",
                ));
            }
        };
        let malformed = || {
            ApiError::invalid_input("The body is not a JSON object with the members that this call takes.")
        };
        // A list would be read for its members in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed());
        }
        // What serde has to say may repeat what was sent.
        serde_json::from_slice(&bytes).map(Self).map_err(|_| malformed())
    }
}

/// Tells a member that is there, `null` too, from one that is not.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
