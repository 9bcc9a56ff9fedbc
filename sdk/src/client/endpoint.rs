//! A request to an endpoint where the client says who it is: token, pushed request, revocation, device authorization.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use super::client_key::ASSERTION_TYPE;
use super::signing_key::SigningFailed;
use super::{Client, ClientAuthentication, ClientKey, Metadata};
use crate::basic;
use crate::dpop::DpopKey;
use crate::error::ProviderError;
use crate::secret::Secret;
use crate::transport::{self, Answer, TransportError, send};

/// How the client proves who it is (OpenID Connect Core section 9).
pub(crate) enum Credentials {
    /// A public client, which only says its id.
    None,
    Secret(Secret, ClientAuthentication),
    Key(ClientKey),
}

/// The fields of a request, in the order they are sent.
pub(crate) type Form<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// Why an endpoint gave no answer that can be read. The endpoint's own error says which it was.
pub(crate) enum Failure {
    Unreachable(TransportError),
    /// The provider is overloaded or broken: it has no OAuth error to tell.
    Unavailable(u16),
    Refused(ProviderError),
    Malformed,
    /// An assertion or a proof could not be signed.
    Unsigned,
}

impl From<SigningFailed> for Failure {
    fn from(SigningFailed: SigningFailed) -> Self {
        Self::Unsigned
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Unreachable(error)
    }
}

/// An error response (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Client {
    /// Posts the form, with what proves who this client is, and with a proof of `binding`'s possession where there is one.
    /// The answer has a status of success.
    pub(crate) async fn post(
        &self,
        metadata: &Metadata,
        endpoint: &Url,
        form: &Form<'_>,
        binding: Option<&DpopKey>,
    ) -> Result<Answer, Failure> {
        let answer = self.post_once(metadata, endpoint, form, binding).await?;
        // RFC 9449 section 8: the provider wants its own nonce in the proof, and has sent it along.
        let wants_nonce = binding.is_some()
            && answer.status == http::StatusCode::BAD_REQUEST
            && refusal(&answer).is_some_and(|refusal| refusal.error == "use_dpop_nonce");
        let answer = if wants_nonce {
            self.post_once(metadata, endpoint, form, binding).await?
        } else {
            answer
        };
        if answer.status.is_success() {
            return Ok(answer);
        }
        if answer.status.is_server_error() || answer.status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Unavailable(answer.status.as_u16()));
        }
        let refusal = refusal(&answer).ok_or(Failure::Malformed)?;
        Err(Failure::Refused(ProviderError::new(
            &refusal.error,
            refusal.error_description.as_deref(),
        )))
    }

    async fn post_once(
        &self,
        metadata: &Metadata,
        endpoint: &Url,
        form: &Form<'_>,
        binding: Option<&DpopKey>,
    ) -> Result<Answer, Failure> {
        // An assertion is good for one use, so that a second request needs another.
        let mut request = self.authenticated(metadata, endpoint, form)?;
        if let Some(key) = binding {
            self.prove(key, &mut request, endpoint, None)?;
        }
        let answer = send(self.http(), request).await?;
        self.remember_nonce(endpoint, &answer);
        Ok(answer)
    }

    fn authenticated(
        &self,
        metadata: &Metadata,
        endpoint: &Url,
        form: &Form<'_>,
    ) -> Result<http::Request<Bytes>, Failure> {
        let client_id = self.client_id();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let names_client = form.iter().any(|(name, _)| *name == "client_id");
        let mut authorization = None;
        match self.credentials() {
            Credentials::Secret(secret, ClientAuthentication::Basic) => {
                authorization = Some(basic::authorization(client_id, secret)?);
            }
            other => {
                if !names_client {
                    body.append_pair("client_id", client_id);
                }
                match other {
                    Credentials::Secret(secret, _) => {
                        body.append_pair("client_secret", secret.expose());
                    }
                    Credentials::Key(key) => {
                        let assertion = key.assertion(
                            client_id,
                            self.issuer(),
                            metadata.token_endpoint.as_str(),
                            self.now(),
                            self.random(),
                        )?;
                        body.append_pair("client_assertion_type", ASSERTION_TYPE);
                        body.append_pair("client_assertion", assertion.expose());
                    }
                    Credentials::None => {}
                }
            }
        }
        Ok(transport::form(endpoint, body.finish(), authorization)?)
    }
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    answer
        .is_json()
        .then(|| serde_json::from_slice(&answer.body).ok())
        .flatten()
}

/// The JSON object of an answer.
pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if !answer.is_json() {
        return Err(Failure::Malformed);
    }
    serde_json::from_slice(&answer.body).map_err(|_| Failure::Malformed)
}
