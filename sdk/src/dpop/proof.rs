//! The proof of possession: a JWT per request (RFC 9449 section 4.2).

use std::time::UNIX_EPOCH;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;
use url::Url;

use super::DpopKey;
use super::key::ALGORITHM;
use crate::client::signing_key::SigningFailed;
use crate::client::{Client, Metadata};
use crate::error::{Error, ExchangeError};
use crate::random;
use crate::secret::Secret;
use crate::session::Session;
use crate::transport::Answer;

pub(super) const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

impl Client {
    /// The value of the `DPoP` header for one request to an API, with an access token of `session` (RFC 9449 section 7). The
    /// `Authorization` header is then `DPoP` and the token. `None` where the session's tokens are ordinary bearer tokens.
    ///
    /// A proof is good for this method, this URL and this moment: make one for each request. An API that answers 401 with
    /// `use_dpop_nonce` has sent a `DPoP-Nonce`: make another with it (section 9).
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Unsigned`] when the proof can't be signed.
    pub fn dpop_proof(
        &self,
        session: &Session,
        method: &Method,
        url: &Url,
        access_token: &str,
        nonce: Option<&str>,
    ) -> Result<Option<String>, Error> {
        self.proof_by(session.dpop_key(), method, url, access_token, nonce)
    }

    /// The proof for an access token, if it is bound to a key.
    pub(crate) fn proof_by(
        &self,
        binding: Option<&DpopKey>,
        method: &Method,
        url: &Url,
        access_token: &str,
        nonce: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(key) = binding else {
            return Ok(None);
        };
        let proof = self
            .proof(key, method, url, Some(access_token), nonce)
            .map_err(|SigningFailed| ExchangeError::Unsigned)?;
        Ok(Some(proof.expose().to_owned()))
    }

    /// A new key, where this client was asked to bind its tokens and the provider can (RFC 9449 section 5.1).
    pub(crate) fn new_binding(&self, metadata: &Metadata) -> Result<Option<DpopKey>, SigningFailed> {
        let offered = metadata
            .dpop_signing_alg_values_supported
            .iter()
            .any(|name| name == ALGORITHM.as_str());
        if self.binds_tokens() && offered {
            DpopKey::generate().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Adds the proof to a request, with the latest nonce of that server.
    pub(crate) fn prove(
        &self,
        key: &DpopKey,
        request: &mut http::Request<Bytes>,
        url: &Url,
        access_token: Option<&str>,
    ) -> Result<(), SigningFailed> {
        let nonce = self.nonces().of(url);
        let proof = self.proof(key, request.method(), url, access_token, nonce.as_deref())?;
        let mut value = HeaderValue::from_str(proof.expose()).map_err(|_| SigningFailed)?;
        value.set_sensitive(true);
        request.headers_mut().insert(PROOF, value);
        Ok(())
    }

    /// Any answer may bring the nonce of the next proof (RFC 9449 section 8.2).
    pub(crate) fn remember_nonce(&self, url: &Url, answer: &Answer) {
        let nonce = answer.headers.get(NONCE).and_then(|value| value.to_str().ok());
        if let Some(nonce) = nonce {
            self.nonces().remember(url, nonce);
        }
    }

    fn proof(
        &self,
        key: &DpopKey,
        method: &Method,
        url: &Url,
        access_token: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<Secret, SigningFailed> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let now = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut claims = json!({
            "jti": random::token(self.random()).map_err(|_| SigningFailed)?.expose(),
            "htm": method.as_str(),
            "htu": target.as_str(),
            "iat": now.as_secs(),
        });
        if let Some(token) = access_token {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        }
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        key.jwt(json!({ "typ": "dpop+jwt", "jwk": key.public() }), &claims)
    }
}
