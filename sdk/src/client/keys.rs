//! The provider's keys, and when to fetch them anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use openidconnect::{JsonWebKey, JsonWebKeySet};
use serde::Deserialize;
use url::Url;

use super::discovery::{fetch, fresh_for};
use super::held::{Fetched, Held};
use super::json_web_key::PublicKey;
use crate::clock::Clock;
use crate::error::{DiscoveryError, Document};
use crate::random::Random;
use crate::transport::HttpTransport;

const MOST_KEYS: usize = 100;
/// Between two fetches for the sake of an unknown key id.
const COOL_DOWN: Duration = Duration::from_secs(60);
/// How long a key id that was not found is believed not to exist.
const MISSED_FOR: Duration = Duration::from_secs(120);
const MOST_MISSES: usize = 64;
/// No provider's key id is longer. What is, is not remembered: the cool-down holds for it all the same.
const LONGEST_KEY_ID: usize = 256;

pub(crate) type KeySet = JsonWebKeySet<PublicKey>;

/// What fetching needs.
pub(crate) struct Source<'a> {
    pub(crate) transport: &'a dyn HttpTransport,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
    pub(crate) jwks_uri: &'a Url,
}

pub(crate) struct Keys {
    held: Held<KeySet>,
    misses: Mutex<Misses>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            held: Held::new(),
            misses: Mutex::new(Misses::default()),
        }
    }

    /// The keys as they are known.
    pub(crate) async fn load(&self, source: &Source<'_>) -> Result<Arc<KeySet>, DiscoveryError> {
        self.held
            .load(source.clock, source.random, fetch_keys(source))
            .await
    }

    /// Newer keys than `tried`, among which `key_id` is not, or `None` while a fetch is not due. A stranger who sends
    /// made-up key ids causes one request a minute, not one per token.
    pub(crate) async fn newer(
        &self,
        tried: &Arc<KeySet>,
        key_id: Option<&str>,
        source: &Source<'_>,
    ) -> Option<Arc<KeySet>> {
        let may_fetch = || self.misses().may_fetch(key_id, source.clock.now());
        let newer = self
            .held
            .other_than(tried, may_fetch, source.clock, source.random, fetch_keys(source))
            .await?;
        if let Some(key_id) = key_id
            && !holds(&newer, key_id)
        {
            self.misses().remember(key_id, source.clock.now());
        }
        Some(newer)
    }

    fn misses(&self) -> std::sync::MutexGuard<'_, Misses> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn holds(keys: &KeySet, key_id: &str) -> bool {
    keys.keys()
        .iter()
        .any(|key| key.key_id().is_some_and(|id| id.as_str() == key_id))
}

#[derive(Default)]
struct Misses {
    last_fetch: Option<SystemTime>,
    missed: VecDeque<(String, SystemTime)>,
}

impl Misses {
    /// Whether a fetch for this key id is due. If it is, the cool-down begins.
    fn may_fetch(&mut self, key_id: Option<&str>, now: SystemTime) -> bool {
        let within = |since: SystemTime, limit| now.duration_since(since).is_ok_and(|age| age < limit);
        self.missed.retain(|(_, since)| within(*since, MISSED_FOR));
        let missed = key_id.is_some_and(|key_id| self.missed.iter().any(|(id, _)| id == key_id));
        let cooling = self.last_fetch.is_some_and(|last| within(last, COOL_DOWN));
        if missed || cooling {
            return false;
        }
        self.last_fetch = Some(now);
        true
    }

    fn remember(&mut self, key_id: &str, now: SystemTime) {
        if key_id.len() > LONGEST_KEY_ID {
            return;
        }
        if self.missed.len() == MOST_MISSES {
            self.missed.pop_front();
        }
        self.missed.push_back((key_id.to_owned(), now));
    }
}

/// A key set whose members have not been looked at.
#[derive(Deserialize)]
struct RawKeySet {
    keys: Vec<serde_json::Value>,
}

async fn fetch_keys(source: &Source<'_>) -> Result<Fetched<KeySet>, DiscoveryError> {
    let answer = fetch(source.transport, source.jwks_uri, Document::Keys).await?;
    let malformed = DiscoveryError::Malformed {
        document: Document::Keys,
    };
    let raw: RawKeySet = serde_json::from_slice(&answer.body).map_err(|_| malformed)?;
    if raw.keys.len() > MOST_KEYS {
        return Err(DiscoveryError::TooManyKeys { limit: MOST_KEYS });
    }
    // A key of a kind we do not know must not hide the others (RFC 7517 section 5).
    let keys: Vec<PublicKey> = raw
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok())
        .filter(PublicKey::can_verify)
        .collect();
    if keys.is_empty() {
        return Err(DiscoveryError::NoUsableKey);
    }
    Ok(Fetched {
        value: KeySet::new(keys),
        fresh_for: fresh_for(&answer),
    })
}
