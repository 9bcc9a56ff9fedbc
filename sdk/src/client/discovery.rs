//! The provider's metadata (OpenID Connect Discovery 1.0).

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::held::Fetched;
use crate::error::{DiscoveryError, Document};
use crate::secure_url::{has_credentials, is_secure};
use crate::transport::{Answer, HttpTransport, get};

const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const USUAL: Duration = Duration::from_secs(60 * 60);

/// What this crate needs of the metadata. Unknown members are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    #[serde(default)]
    pub(crate) userinfo_endpoint: Option<Url>,
    #[serde(default)]
    pub(crate) end_session_endpoint: Option<Url>,
    /// RFC 7009.
    #[serde(default)]
    pub(crate) revocation_endpoint: Option<Url>,
    /// RFC 9126 section 5.
    #[serde(default)]
    pub(crate) pushed_authorization_request_endpoint: Option<Url>,
    #[serde(default)]
    pub(crate) require_pushed_authorization_requests: bool,
    /// RFC 8628 section 4.
    #[serde(default)]
    pub(crate) device_authorization_endpoint: Option<Url>,
    /// RFC 9449 section 5.1.
    #[serde(default)]
    pub(crate) dpop_signing_alg_values_supported: Vec<String>,
    /// Discovery section 3.
    #[serde(default)]
    pub(crate) response_modes_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) scopes_supported: Option<Vec<String>>,
    /// Keyback's own: the spellings of `first_screen` that it accepts.
    #[serde(default)]
    pub(crate) first_screen_values_supported: Option<Vec<String>>,
}

impl Metadata {
    pub(crate) async fn fetch(
        transport: &dyn HttpTransport,
        issuer: &str,
    ) -> Result<Fetched<Self>, DiscoveryError> {
        let answer = fetch(transport, &well_known(issuer)?, Document::Metadata).await?;
        let malformed = DiscoveryError::Malformed {
            document: Document::Metadata,
        };
        let metadata: Self = serde_json::from_slice(&answer.body).map_err(|_| malformed)?;
        metadata.check(issuer)?;
        Ok(Fetched {
            value: metadata,
            fresh_for: fresh_for(&answer),
        })
    }

    fn check(&self, issuer: &str) -> Result<(), DiscoveryError> {
        // Section 4.3: identical, character by character.
        if self.issuer != issuer {
            return Err(DiscoveryError::ForeignIssuer);
        }
        let endpoints = [
            ("authorization_endpoint", Some(&self.authorization_endpoint)),
            ("token_endpoint", Some(&self.token_endpoint)),
            ("jwks_uri", Some(&self.jwks_uri)),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
            ("end_session_endpoint", self.end_session_endpoint.as_ref()),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
            (
                "pushed_authorization_request_endpoint",
                self.pushed_authorization_request_endpoint.as_ref(),
            ),
            (
                "device_authorization_endpoint",
                self.device_authorization_endpoint.as_ref(),
            ),
        ];
        for (endpoint, url) in endpoints {
            if url.is_some_and(|url| !is_secure(url) || has_credentials(url)) {
                return Err(DiscoveryError::InsecureEndpoint { endpoint });
            }
        }
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => Err(DiscoveryError::NoS256),
            _ => Ok(()),
        }
    }
}

/// Section 4.1: the issuer without a trailing slash, then the well-known path.
fn well_known(issuer: &str) -> Result<Url, DiscoveryError> {
    let address = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    Url::parse(&address).map_err(|_| DiscoveryError::Malformed {
        document: Document::Metadata,
    })
}

/// A GET of one of the two documents, which must answer 200 with JSON.
pub(crate) async fn fetch(
    transport: &dyn HttpTransport,
    url: &Url,
    document: Document,
) -> Result<Answer, DiscoveryError> {
    let answer = get(transport, url, None)
        .await
        .map_err(|cause| DiscoveryError::Unreachable { document, cause })?;
    if answer.status != http::StatusCode::OK {
        return Err(DiscoveryError::Status {
            document,
            status: answer.status.as_u16(),
        });
    }
    if answer.is_json() {
        Ok(answer)
    } else {
        Err(DiscoveryError::Malformed { document })
    }
}

/// As long as Cache-Control says, within reason: Logto sends `max-age=0` with keys that live for months.
pub(crate) fn fresh_for(answer: &Answer) -> Duration {
    answer.max_age().map_or(USUAL, |seconds| {
        Duration::from_secs(seconds).clamp(SHORTEST, LONGEST)
    })
}
