//! The machine app's own token (RFC 6749 section 4.4), kept until shortly before it expires.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::Inner;
use crate::basic;
use crate::error::{ExchangeError, ProviderError};
use crate::secret::Secret;
use crate::transport::{self, TransportError, send};

/// Where the provider does not say (RFC 6749 section 5.1): short.
const UNTOLD: Duration = Duration::from_secs(5 * 60);
/// A token is renewed after this part of its life, so that none expires on its way.
const RENEW_AFTER: f64 = 0.9;

/// The token that all callers share. Whoever holds the lock may fetch; the others wait for what it brings.
#[derive(Default)]
pub(super) struct Tokens {
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    renew_at: SystemTime,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: Secret,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Tokens {
    /// The token as it is known, fetched where there is none or it is about to expire.
    pub(super) async fn current(&self, api: &Inner) -> Result<Secret, ExchangeError> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(Held { token, renew_at }) if api.clock.now() < *renew_at => Ok(token.clone()),
            _ => fetch_into(&mut held, api).await,
        }
    }

    /// Another token than `refused`: the one that somebody else has fetched meanwhile, or one fetched now.
    pub(super) async fn other_than(&self, refused: &Secret, api: &Inner) -> Result<Secret, ExchangeError> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(Held { token, .. }) if !token.matches(refused.expose()) => Ok(token.clone()),
            _ => fetch_into(&mut held, api).await,
        }
    }
}

async fn fetch_into(held: &mut Option<Held>, api: &Inner) -> Result<Secret, ExchangeError> {
    // A refused token serves nobody, even if no other can be had now.
    *held = None;
    let response = fetch(api).await?;
    let life = response.expires_in.map_or(UNTOLD, Duration::from_secs);
    let renew_at = api.clock.now().checked_add(life.mul_f64(RENEW_AFTER));
    let token = response.access_token;
    *held = renew_at.map(|renew_at| Held {
        token: token.clone(),
        renew_at,
    });
    Ok(token)
}

async fn fetch(api: &Inner) -> Result<TokenResponse, ExchangeError> {
    let request = request(api).map_err(ExchangeError::Unreachable)?;
    let answer = send(&*api.http, request)
        .await
        .map_err(ExchangeError::Unreachable)?;
    if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        let status = answer.status.as_u16();
        return Err(ExchangeError::Unavailable { status });
    }
    if answer.status != StatusCode::OK {
        let refusal: ErrorResponse =
            serde_json::from_slice(&answer.body).map_err(|_| ExchangeError::Malformed)?;
        return Err(match refusal.error.as_str() {
            "invalid_client" => ExchangeError::InvalidClient,
            error => ExchangeError::Refused(ProviderError::new(error, refusal.error_description.as_deref())),
        });
    }
    let response: TokenResponse =
        serde_json::from_slice(&answer.body).map_err(|_| ExchangeError::Malformed)?;
    if response.token_type.eq_ignore_ascii_case("bearer") {
        Ok(response)
    } else {
        Err(ExchangeError::NotBearer)
    }
}

fn request(api: &Inner) -> Result<http::Request<Bytes>, TransportError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("resource", &api.resource)
        .append_pair("scope", "all")
        .finish();
    let authorization = basic::authorization(&api.app_id, &api.app_secret)?;
    transport::form(&api.endpoint.at("/oidc/token"), form, Some(authorization))
}
