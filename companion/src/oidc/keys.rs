//! The provider's signing keys: made once, sealed at rest, kept in memory, rotated without an interruption.
//!
//! A new key is published before it signs, so that whoever keeps the key set for as long as its `Cache-Control`
//! allows knows the key by then. An old key stays published until the last token it signed has expired.

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use keyback_core::random::Random;
use keyback_core::time::Timestamp;
use serde_json::json;

use super::document::MAX_AGE_SECONDS;
use super::jws::{self, BadKey, SigningKey};
use super::key_ring::KeyRing;
use crate::config::app::IdTokenAlg;
use crate::config::lifetimes::TokensConfig;
use crate::http::headers::Guards;
use crate::secrets::{Purpose, RootKeys, Sealer};
use crate::store::audit::{self, Actor, Line};
use crate::store::provider_keys::{self, KeyRow};
use crate::store::{Store, StoreError};

const ALGORITHMS: [IdTokenAlg; 2] = [IdTokenAlg::ES384, IdTokenAlg::RS256];
/// A running provider looks for rotated keys this often, whenever it uses one: a leaked key ends within it. One request
/// of a second waits for the look, which is one statement over a handful of rows.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What an announced handover allows for clocks that differ, and for a store that couldn't be read for a moment.
const SLACK: Duration = Duration::from_secs(60);
/// From its publication to its first signature: longer than anybody keeps the key set, ourselves included.
const PUBLISHED_AHEAD: Duration = Duration::from_secs(2 * (MAX_AGE_SECONDS + 60));
/// Public halves are remembered so long after they left, for the `id_token_hint` of an old sign-in.
const REMEMBERED: Duration = Duration::from_secs(90 * 86_400);

/// Why keys could not be made, read or rotated.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// aws-lc refused.
    #[error("a signing key could not be made")]
    Generate,
    /// The root key that sealed the key is gone.
    #[error(
        "the signing key {kid} can't be opened: put the root key that sealed it back into [secrets] \
         root_key_file, behind the new one"
    )]
    Sealed {
        /// The key's id.
        kid: String,
    },
    /// A row can't be read.
    #[error("the signing key {kid} can't be read: its row is damaged; restore a backup or delete the row")]
    Damaged {
        /// The key's id.
        kid: String,
    },
}

impl From<BadKey> for KeysError {
    fn from(BadKey: BadKey) -> Self {
        Self::Generate
    }
}

/// When a new key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// After everybody could learn of it: nobody is interrupted.
    Announced,
    /// At once, because the old one has leaked: apps that keep the key set long fail until they fetch it again.
    AtOnce,
}

/// What `keyback keys list` tells of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub kid: String,
    pub algorithm: String,
    pub created_at: Timestamp,
    pub signs_from: Timestamp,
    /// When it leaves the published key set; none for the last of its line.
    pub leaves_at: Option<Timestamp>,
}

/// All keys, the youngest first.
pub async fn list(store: &Store) -> Result<Vec<KeyInfo>, StoreError> {
    let rows = provider_keys::list(store.reader()).await?;
    Ok(rows.into_iter().map(KeyInfo::from).collect())
}

/// Adds a key of each algorithm that takes over from the present one. Running providers notice within a second. At once,
/// no key stays that was there before: neither those that sign, nor those that were announced, which may have leaked
/// with them, nor those that only vouched for old hints. The trail tells of it, or nothing is rotated.
pub async fn rotate(
    store: &Store,
    root_keys: &RootKeys,
    tokens: &TokensConfig,
    handover: Handover,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Vec<KeyInfo>, KeysError> {
    let sealer = root_keys.sealer(Purpose::ProviderKeys);
    let signs_from = match handover {
        Handover::Announced => now + PUBLISHED_AHEAD,
        Handover::AtOnce => now,
    };
    let known = provider_keys::list(store.reader()).await?;
    let mut rows = Vec::new();
    for algorithm in ALGORITHMS {
        // The first of its line has nobody to take over from: until it signed, nothing could be signed.
        let is_first = !known.iter().any(|key| key.algorithm == jws::name(algorithm));
        let signs_from = if is_first { now } else { signs_from };
        rows.push(make(algorithm, &sealer, random, now, signs_from).await?);
    }
    let mut tx = store.begin().await?;
    match handover {
        Handover::Announced => {
            let last_signature = signs_from + SLACK;
            let old_leaves_at = last_signature + tokens.access_token.0.max(tokens.id_token.0);
            for row in &rows {
                provider_keys::succeed(&mut tx, row, old_leaves_at).await?;
            }
        }
        Handover::AtOnce => provider_keys::replace_all(&mut tx, &rows).await?,
    }
    let line = Line {
        at: now,
        event: "keys_rotated",
        actor: Actor::Operator,
        subject: None,
        identifier: None,
        client_id: None,
        client_ip: None,
    };
    let detail = json!({ "at_once": handover == Handover::AtOnce });
    audit::write_with_detail(&mut *tx, random, &line, &detail.to_string()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(rows.into_iter().map(KeyInfo::from).collect())
}

/// Erases the private halves of keys that have left the key set, and forgets those that left long ago.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let forgotten = provider_keys::sweep(&mut tx, now, now - REMEMBERED).await?;
    tx.commit().await?;
    Ok(forgotten)
}

/// The keys of a running provider.
pub(super) struct Keys {
    store: Store,
    sealer: Sealer,
    guards: Guards,
    loaded: RwLock<Loaded>,
    reloading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Loaded {
    at: Timestamp,
    ring: Arc<KeyRing>,
}

impl Loaded {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_younger_than(LOOK_EVERY, now)
    }

    /// Whether it serves while another request reads. After a quiet night it would be the key set of the evening.
    fn still_serves(&self, now: Timestamp) -> bool {
        self.is_younger_than(2 * LOOK_EVERY, now)
    }

    fn is_younger_than(&self, age: Duration, now: Timestamp) -> bool {
        // A clock that was set back must not keep a leaked key alive.
        self.at <= now && now.since(self.at) < age
    }
}

impl Keys {
    /// Makes the keys that are missing and reads all of them. Of two starts at once, one makes a key, both use it.
    pub(super) async fn start(
        store: &Store,
        root_keys: &RootKeys,
        guards: &Guards,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        let sealer = root_keys.sealer(Purpose::ProviderKeys);
        let known = provider_keys::list(store.reader()).await?;
        for algorithm in ALGORITHMS {
            if !known.iter().any(|key| key.algorithm == jws::name(algorithm)) {
                let row = make(algorithm, &sealer, random, now, now).await?;
                provider_keys::add_first(store.writer(), &row).await?;
            }
        }
        let ring = KeyRing::load(store, &sealer, guards, None, now).await?;
        Ok(Self {
            store: store.clone(),
            sealer,
            guards: guards.clone(),
            loaded: RwLock::new(Loaded { at: now, ring }),
            reloading: tokio::sync::Mutex::new(()),
        })
    }

    /// The keys, read again from the store where they were read long ago. While one request reads, those known a moment
    /// ago still serve; where the store can't be read, those known before.
    pub(super) async fn ring(&self, now: Timestamp) -> Arc<KeyRing> {
        if let Some(ring) = self.known(now) {
            return ring;
        }
        let loaded = self.loaded();
        let _only_one = match self.reloading.try_lock() {
            Ok(only_one) => only_one,
            Err(_) if loaded.still_serves(now) => return loaded.ring,
            Err(_) => {
                let waited = self.reloading.lock().await;
                if let Some(ring) = self.known(now) {
                    return ring;
                }
                waited
            }
        };
        // Boxed, since it is seldom and large: what every request waits for stays small.
        let load = KeyRing::load(&self.store, &self.sealer, &self.guards, Some(&loaded.ring), now);
        match Box::pin(load).await {
            Ok(ring) => {
                let mut loaded = self
                    .loaded
                    .write()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                *loaded = Loaded {
                    at: now,
                    ring: ring.clone(),
                };
                ring
            }
            Err(error) => {
                tracing::error!(%error, "the signing keys could not be read again; those known before still serve");
                loaded.ring
            }
        }
    }

    /// The keys, where they need not be read again.
    pub(super) fn known(&self, now: Timestamp) -> Option<Arc<KeyRing>> {
        Some(self.loaded())
            .filter(|loaded| loaded.is_fresh(now))
            .map(|loaded| loaded.ring)
    }

    fn loaded(&self) -> Loaded {
        self.loaded
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl From<KeyRow> for KeyInfo {
    fn from(row: KeyRow) -> Self {
        let (created_at, signs_from, leaves_at) = (row.created_at(), row.signs_from(), row.leaves_at());
        Self {
            kid: row.kid,
            algorithm: row.algorithm,
            created_at,
            signs_from,
            leaves_at,
        }
    }
}

async fn make(
    algorithm: IdTokenAlg,
    sealer: &Sealer,
    random: &dyn Random,
    now: Timestamp,
    signs_from: Timestamp,
) -> Result<KeyRow, KeysError> {
    // A primality search of a tenth of a second doesn't belong on the async threads.
    let made = tokio::task::spawn_blocking(move || -> Result<_, BadKey> {
        let pair = SigningKey::generate(algorithm)?;
        Ok((pair.public_jwk()?, pair.to_pkcs8()?))
    });
    let (jwk, pkcs8) = made.await.map_err(|_| BadKey)??;
    let public = serde_json::to_string(&jwk).map_err(|_| BadKey)?;
    let sealed = sealer.seal_text(random, &context(&jwk.kid), &pkcs8);
    Ok(KeyRow::new(
        jwk.kid,
        jws::name(algorithm),
        sealed,
        public,
        now,
        signs_from,
    ))
}

/// What a sealed key is bound to.
pub(super) fn context(kid: &str) -> Vec<u8> {
    [b"provider key ", kid.as_bytes()].concat()
}
