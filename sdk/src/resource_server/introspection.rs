//! Opaque access tokens: what they are worth, only the provider knows (RFC 7662).

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use crate::basic;
use crate::error::{AccessTokenError, Error, IntrospectionError};
use crate::secret::Secret;
use crate::transport::{self, HttpTransport, TransportError, send};

/// Where the provider is asked, and as whom.
pub(super) struct Introspection {
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
}

impl Introspection {
    /// What the provider says of a token that is active. Nothing of it has been checked.
    pub(super) async fn ask(
        &self,
        http: &dyn HttpTransport,
        token: &str,
    ) -> Result<Map<String, Value>, Error> {
        let request = self.request(token).map_err(IntrospectionError::Unreachable)?;
        let answer = send(http, request)
            .await
            .map_err(IntrospectionError::Unreachable)?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(IntrospectionError::InvalidClient.into());
            }
            status => {
                let status = status.as_u16();
                return Err(IntrospectionError::Status { status }.into());
            }
        }
        let claims: Map<String, Value> =
            serde_json::from_slice(&answer.body).map_err(|_| IntrospectionError::Malformed)?;
        match claims.get("active") {
            Some(Value::Bool(true)) => Ok(claims),
            Some(Value::Bool(false)) => Err(AccessTokenError::Inactive.into()),
            _ => Err(IntrospectionError::Malformed.into()),
        }
    }

    /// Section 2.1.
    fn request(&self, token: &str) -> Result<http::Request<Bytes>, TransportError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        let authorization = basic::authorization(&self.client_id, &self.client_secret)?;
        transport::form(&self.endpoint, form, Some(authorization))
    }
}

/// What has two dots is a JWT, or nothing.
pub(super) fn is_opaque(token: &str) -> bool {
    token.split('.').count() != 3
}
