//! A request by an access token, bearer or bound.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use url::Url;

use super::DpopKey;
use crate::client::Client;
use crate::transport::{Answer, TransportError, get, send};

impl Client {
    /// A GET for JSON by an access token: as its bearer (RFC 6750 section 2.1), or with the key it is bound to (RFC 9449
    /// section 7.1).
    pub(crate) async fn get_protected(
        &self,
        url: &Url,
        access_token: &str,
        binding: Option<&DpopKey>,
    ) -> Result<Answer, TransportError> {
        let Some(key) = binding else {
            return get(self.http(), url, Some(access_token)).await;
        };
        let answer = self.get_proven(url, access_token, key).await?;
        if wants_nonce(&answer) {
            self.get_proven(url, access_token, key).await
        } else {
            Ok(answer)
        }
    }

    async fn get_proven(&self, url: &Url, token: &str, key: &DpopKey) -> Result<Answer, TransportError> {
        let mut request = http::Request::get(url.as_str())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body(Bytes::new())
            .map_err(TransportError::other)?;
        let mut value = HeaderValue::from_str(&format!("DPoP {token}")).map_err(TransportError::other)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        self.prove(key, &mut request, url, Some(token))
            .map_err(TransportError::other)?;
        let answer = send(self.http(), request).await?;
        self.remember_nonce(url, &answer);
        Ok(answer)
    }
}

/// RFC 9449 section 9: the server wants its own nonce in the proof, and has sent it along.
fn wants_nonce(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && answer
            .headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("use_dpop_nonce"))
}
