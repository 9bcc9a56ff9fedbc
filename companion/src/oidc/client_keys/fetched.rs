//! Key sets that apps publish (`jwks_uri`): fetched when needed, kept for a while, never more often than a cool-down
//! allows, whatever strangers send.
//!
//! The addresses are the operator's own words, so any target is allowed (SR-61); redirects are not followed, and an
//! answer has its time and its size.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use keyback_core::time::Timestamp;
use url::Url;

use super::{KeySet, KeySetError};
use crate::outgoing::{Call, CallError, OutgoingHttp, Targets};

/// From the first byte sent to the last one read.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a key set is believed before it is fetched again: how long a key that the app has withdrawn still serves.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// A key that isn't known may be new. Anybody can send made-up names of keys, so it is asked for this often at most.
const UNKNOWN_KEY_COOL_DOWN: Duration = Duration::from_secs(60);
/// After a failure.
const FAILURE_COOL_DOWN: Duration = Duration::from_secs(10);
/// While an app's address doesn't answer, the keys that are known go on serving so long.
const STALE: Duration = Duration::from_secs(60 * 60);

/// Fetches and keeps key sets. Callers that want the same one at once make one request.
pub(in crate::oidc) struct FetchedKeys {
    http: Arc<OutgoingHttp>,
    held: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Held>>>>,
}

/// What is known of one address.
#[derive(Default)]
struct Held {
    known: Option<(Arc<KeySet>, Timestamp)>,
    failed_at: Option<Timestamp>,
}

/// Why a key set was not had. For the log.
#[derive(Debug, thiserror::Error)]
pub(in crate::oidc) enum FetchError {
    #[error("the app's jwks_uri: {}", .0.in_full())]
    Call(#[from] CallError),
    #[error("the app's jwks_uri answered {0}")]
    Status(StatusCode),
    #[error("the app's jwks_uri answered with no JSON, or with more than 16 KiB")]
    NotJson,
    #[error("the app's jwks_uri: {0}")]
    Keys(#[from] KeySetError),
    #[error("the app's jwks_uri has failed a moment ago")]
    CoolingDown,
}

impl FetchedKeys {
    pub(in crate::oidc) fn new(http: Arc<OutgoingHttp>) -> Self {
        Self {
            http,
            held: Mutex::default(),
        }
    }

    /// The key set of an address: the one that is kept, unless it is old or `has_key` finds that the key isn't in it.
    pub(in crate::oidc) async fn of(
        &self,
        url: &Url,
        now: Timestamp,
        has_key: impl Fn(&KeySet) -> bool,
    ) -> Result<Arc<KeySet>, FetchError> {
        let slot = Arc::clone(
            self.held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(url.as_str().to_owned())
                .or_default(),
        );
        // Held over the request: who comes meanwhile waits for its answer.
        let mut held = slot.lock().await;
        if let Some((keys, at)) = &held.known {
            let age = now.since(*at);
            if age < FRESH && (has_key(keys) || age < UNKNOWN_KEY_COOL_DOWN) {
                return Ok(Arc::clone(keys));
            }
        }
        let cooling = held
            .failed_at
            .is_some_and(|failed_at| now.since(failed_at) < FAILURE_COOL_DOWN);
        let failure = if cooling {
            FetchError::CoolingDown
        } else {
            match self.fetch(url).await {
                Ok(keys) => {
                    let keys = Arc::new(keys);
                    *held = Held {
                        known: Some((Arc::clone(&keys), now)),
                        failed_at: None,
                    };
                    return Ok(keys);
                }
                Err(error) => {
                    held.failed_at = Some(now);
                    error
                }
            }
        };
        match &held.known {
            Some((keys, at)) if now.since(*at) < STALE => {
                tracing::warn!(error = %failure, "the keys that are known of an app go on serving");
                Ok(Arc::clone(keys))
            }
            _ => Err(failure),
        }
    }

    async fn fetch(&self, url: &Url) -> Result<KeySet, FetchError> {
        let accepted = HeaderValue::from_static("application/jwk-set+json, application/json");
        let call = Call {
            method: Method::GET,
            url,
            headers: HeaderMap::from_iter([(ACCEPT, accepted)]),
            body: Bytes::new(),
            timeout: TIMEOUT,
            targets: Targets::Any,
        };
        let answer = self.http.send(call).await?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status));
        }
        let document = serde_json::from_slice(&answer.body).map_err(|_| FetchError::NotJson)?;
        Ok(KeySet::parse(&document)?)
    }
}
