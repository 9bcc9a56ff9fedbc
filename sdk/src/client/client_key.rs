//! The private key of a client, by which it proves who it is (`private_key_jwt`: OpenID Connect Core section 9, RFC 7523).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use super::Algorithm;
use super::signing_key::{BadKey, SigningFailed, SigningKey};
use crate::error::ConfigError;
use crate::random::{self, Random};
use crate::secret::Secret;

/// What `client_assertion_type` says (RFC 7523 section 2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// From the making of an assertion to its `exp`. It is used at once; a longer life would only serve a thief.
const LIFE: Duration = Duration::from_secs(60);

/// The private key of a client that has registered the public half, for
/// [`ClientBuilder::client_key`](crate::ClientBuilder::client_key).
///
/// For every request to the token endpoint and its neighbours the client signs a new assertion, which is good for one minute,
/// for one provider and, by its `jti`, for one use (RFC 7523 section 3). The provider never learns the key itself.
///
/// ```no_run
/// use keyback::{Algorithm, Client, ClientKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = ClientKey::from_pem(Algorithm::Es256, std::fs::read("client-key.pem")?)?.key_id("2026-11");
/// let auth = Client::builder("https://id.example/oidc", "my-app")
///     .client_key(key)
///     .redirect_uri("https://app.example/callback")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientKey {
    key: Arc<SigningKey>,
    key_id: Option<String>,
    audience: AssertionAudience,
}

/// Whom a client assertion is for (`aud`, RFC 7523 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer: an assertion that a hostile provider was given is then of no use at an honest one.
    #[default]
    Issuer,
    /// The token endpoint, whichever endpoint is asked, for providers that know no other audience (OpenID Connect Core
    /// section 9).
    TokenEndpoint,
}

impl ClientKey {
    /// A key in PKCS#8, DER encoded (RFC 5958), which signs by `algorithm`: ES256, ES384, RS256, PS256 or EdDSA.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ClientKey`] for bytes that are no such key, [`ConfigError::ClientKeyAlgorithm`] for another algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Ok(Self::new(SigningKey::from_pkcs8(algorithm, der.as_ref())?, None))
    }

    /// A key in PKCS#8, PEM encoded (RFC 7468 section 10): the text that begins with `-----BEGIN PRIVATE KEY-----`.
    ///
    /// # Errors
    ///
    /// As [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pem(algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_ref()).map_err(|_| BadKey::Malformed)?;
        Self::from_pkcs8(algorithm, der.secret_pkcs8_der())
    }

    /// A private JWK (RFC 7517), with its `kid`. The algorithm is its `alg`, or what its curve allows; an RSA key without `alg`
    /// signs RS256.
    ///
    /// # Errors
    ///
    /// As [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_jwk(json: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let (key, key_id) = SigningKey::from_jwk(json.as_ref())?;
        Ok(Self::new(key, key_id))
    }

    /// The `kid` by which the provider knows the public half (RFC 7515 section 4.1.4).
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// Whom the assertions are for. The issuer by default.
    #[must_use]
    pub fn audience(mut self, audience: AssertionAudience) -> Self {
        self.audience = audience;
        self
    }

    fn new(key: SigningKey, key_id: Option<String>) -> Self {
        Self {
            key: Arc::new(key),
            key_id,
            audience: AssertionAudience::default(),
        }
    }

    /// A new assertion (RFC 7523 section 3).
    pub(super) fn assertion(
        &self,
        client_id: &str,
        issuer: &str,
        token_endpoint: &str,
        now: SystemTime,
        random: &dyn Random,
    ) -> Result<Secret, SigningFailed> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut header = json!({ "typ": "JWT" });
        if let Some(key_id) = &self.key_id {
            header["kid"] = json!(key_id);
        }
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": match self.audience {
                AssertionAudience::Issuer => issuer,
                AssertionAudience::TokenEndpoint => token_endpoint,
            },
            "jti": random::token(random).map_err(|_| SigningFailed)?.expose(),
            "iat": now.as_secs(),
            "exp": (now + LIFE).as_secs(),
        });
        self.key.jwt(header, &claims)
    }
}

/// Without the key.
impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey")
            .field("algorithm", &self.key.algorithm())
            .field("key_id", &self.key_id)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl From<BadKey> for ConfigError {
    fn from(error: BadKey) -> Self {
        match error {
            BadKey::Malformed => Self::ClientKey,
            BadKey::Algorithm => Self::ClientKeyAlgorithm,
        }
    }
}
