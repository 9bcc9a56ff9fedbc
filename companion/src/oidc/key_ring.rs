//! The signing keys as they are known at one moment: what signs, what opens, and what is published of them.

use std::sync::Arc;

use keyback_core::time::Timestamp;
use serde_json::json;

use super::document::Document;
use super::error::Failure;
use super::jws::{self, BadKey, Jwk, SigningKey};
use super::keys::{KeysError, context};
use crate::config::app::IdTokenAlg;
use crate::http::headers::Guards;
use crate::secrets::Sealer;
use crate::store::Store;
use crate::store::provider_keys::{self, KeyRow};

/// The keys as they are known at one moment.
pub(super) struct KeyRing {
    /// The youngest first.
    keys: Vec<Arc<Key>>,
    document: Document,
    /// The document is the key set until here, where a key leaves it.
    document_until: Option<Timestamp>,
}

/// A key that may sign.
pub(super) struct Key {
    pub(super) jwk: Jwk,
    signs_from: Timestamp,
    leaves_at: Option<Timestamp>,
    /// None for a key that has left: its public half still checks hints.
    pair: Option<SigningKey>,
}

impl KeyRing {
    /// Reads the keys. Where they are those of before, so is the ring.
    pub(super) async fn load(
        store: &Store,
        sealer: &Sealer,
        guards: &Guards,
        before: Option<&Arc<Self>>,
        now: Timestamp,
    ) -> Result<Arc<Self>, KeysError> {
        let rows = provider_keys::list(store.reader()).await?;
        let keys: Vec<_> = rows
            .iter()
            .map(|row| Key::open(row, sealer, before.map(Arc::as_ref)))
            .collect::<Result<_, KeysError>>()?;
        if let Some(before) = before
            && before.document_until.is_none_or(|until| now < until)
            && before.keys.len() == keys.len()
            && before
                .keys
                .iter()
                .zip(&keys)
                .all(|(known, key)| Arc::ptr_eq(known, key))
        {
            return Ok(before.clone());
        }
        let published: Vec<_> = keys
            .iter()
            .filter(|key| key.leaves_at.is_none_or(|at| at > now))
            .collect();
        let document_until = published.iter().filter_map(|key| key.leaves_at).min();
        let published: Vec<_> = published.iter().map(|key| &key.jwk).collect();
        let document = Document::new(&json!({ "keys": published }), guards);
        Ok(Arc::new(Self {
            keys,
            document,
            document_until,
        }))
    }

    /// The published key set (RFC 7517 5).
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// Signs with the youngest key of the algorithm whose time has come.
    pub(super) fn sign(
        &self,
        algorithm: IdTokenAlg,
        typ: &str,
        claims: &impl serde::Serialize,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let mut due = self
            .keys
            .iter()
            .filter(|key| key.jwk.alg == algorithm && key.signs_from <= now);
        let (key, pair) = due
            .find_map(|key| key.pair.as_ref().map(|pair| (key, pair)))
            .ok_or(Failure::NoKey(jws::name(algorithm)))?;
        pair.sign(typ, &key.jwk.kid, claims)
            .map_err(|BadKey| Failure::Signing)
    }

    /// Opens a token that this provider signed, also with a key that has left.
    pub(super) fn open<C: for<'de> serde::Deserialize<'de>>(&self, token: &str) -> Option<C> {
        jws::open(token, self.keys.iter().map(|key| &key.jwk))
    }
}

impl Key {
    fn open(row: &KeyRow, sealer: &Sealer, before: Option<&KeyRing>) -> Result<Arc<Self>, KeysError> {
        let same = |key: &&Arc<Self>| {
            key.jwk.kid == row.kid
                && key.leaves_at == row.leaves_at()
                && key.pair.is_some() == row.sealed.is_some()
        };
        // Reading an RSA key costs a millisecond; those that didn't change are kept.
        if let Some(known) = before.and_then(|ring| ring.keys.iter().find(same)) {
            return Ok(known.clone());
        }
        let damaged = || KeysError::Damaged { kid: row.kid.clone() };
        let jwk: Jwk = serde_json::from_str(&row.public_jwk).map_err(|_| damaged())?;
        let pair = match &row.sealed {
            None => None,
            Some(sealed) => {
                let pkcs8 = sealer
                    .open_text(&context(&row.kid), sealed)
                    .map_err(|_| KeysError::Sealed { kid: row.kid.clone() })?;
                Some(SigningKey::from_pkcs8(jwk.alg, &pkcs8).map_err(|_| damaged())?)
            }
        };
        Ok(Arc::new(Self {
            jwk,
            signs_from: row.signs_from(),
            leaves_at: row.leaves_at(),
            pair,
        }))
    }
}
