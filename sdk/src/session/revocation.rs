//! The end of a refresh token (RFC 7009).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::client::{Client, ClientAuthentication};
use crate::error::{Error, ExchangeError, SignOutError};
use crate::secret::Secret;
use crate::transport::{TransportError, send};

impl Client {
    /// Revokes a refresh token, and with it the access tokens of its family (section 2.1).
    pub(crate) async fn revoke_refresh_token(&self, refresh_token: &Secret) -> Result<(), Error> {
        let metadata = self.metadata().await?;
        let endpoint = metadata
            .revocation_endpoint
            .as_ref()
            .ok_or(SignOutError::NoRevocation)?;
        let request = self.revocation_request(endpoint, refresh_token)?;
        let answer = send(self.http(), request)
            .await
            .map_err(ExchangeError::Unreachable)?;
        // Section 2.2: 200 for a token that was not valid, too.
        if answer.status.is_success() {
            Ok(())
        } else {
            let status = answer.status.as_u16();
            Err(SignOutError::RevocationRefused { status }.into())
        }
    }

    /// Section 2.1, with what proves who this client is.
    fn revocation_request(
        &self,
        endpoint: &Url,
        refresh_token: &Secret,
    ) -> Result<http::Request<Bytes>, ExchangeError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", refresh_token.expose())
            .append_pair("token_type_hint", "refresh_token");
        let mut authorization = None;
        match self.secret() {
            Some((secret, ClientAuthentication::Basic)) => {
                authorization = Some(basic(self.client_id(), secret.expose())?);
            }
            Some((secret, _)) => {
                form.append_pair("client_id", self.client_id())
                    .append_pair("client_secret", secret.expose());
            }
            None => {
                form.append_pair("client_id", self.client_id());
            }
        }
        let mut request = http::Request::post(endpoint.as_str())
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )
            .body(Bytes::from(form.finish()))
            .map_err(|error| ExchangeError::Unreachable(TransportError::other(error)))?;
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }
}

/// Id and secret, each form-encoded first (RFC 6749 section 2.3.1).
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, ExchangeError> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
        .map_err(|error| ExchangeError::Unreachable(TransportError::other(error)))?;
    value.set_sensitive(true);
    Ok(value)
}
