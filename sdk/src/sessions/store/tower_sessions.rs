//! Any store of tower-sessions as a store of ours: Redis, PostgreSQL, and the like.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::Mutex;
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};

use super::super::SessionKey;
use super::{Saved, SealedSession, StoreError, StoreFuture, TokenStore};

/// The one value of a record of ours.
const VALUE: &str = "keyback";

/// Keeps sessions in a store that was made for [tower-sessions](https://docs.rs/tower-sessions), whose records it shares
/// with nothing else. The site's own sessions may be in the same store.
///
/// Such a store can't compare a version before it writes. Within one process this adapter does it; of two processes that
/// refresh the same session in the same moment, the later writer wins. So may a refresh over a sign-out: processes have to
/// share a [`LogoutRegistry`](crate::LogoutRegistry), by which the session stays ended.
#[derive(Clone, Debug)]
pub struct TowerSessionStore {
    store: Arc<dyn SessionStore>,
    writing: Arc<Mutex<()>>,
}

impl TowerSessionStore {
    /// Keeps sessions in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            writing: Arc::default(),
        }
    }

    async fn read(&self, key: &SessionKey) -> Result<Option<SealedSession>, StoreError> {
        let record = self.store.load(&id(key)).await.map_err(StoreError::failed)?;
        let bytes = record.and_then(|record| {
            let value = record.data.get(VALUE)?.as_str()?;
            URL_SAFE_NO_PAD.decode(value).ok()
        });
        Ok(bytes.and_then(|bytes| SealedSession::from_bytes(&bytes)))
    }

    async fn write(
        &self,
        key: &SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> Result<Saved, StoreError> {
        let _writing = self.writing.lock().await;
        let present = self.read(key).await?;
        if present.map(|session| session.version()) != replaces {
            return Ok(Saved::Conflict);
        }
        let value = URL_SAFE_NO_PAD.encode(session.to_bytes());
        let mut record = Record {
            id: id(key),
            data: HashMap::from([(VALUE.to_owned(), value.into())]),
            expiry_date: session.expires_at().into(),
        };
        if replaces.is_none() {
            self.store.create(&mut record).await.map_err(StoreError::failed)?;
            if record.id != id(key) {
                // Some other record has this id, and the store has chosen another.
                let taken = io::Error::new(io::ErrorKind::AlreadyExists, "the id of the record is taken");
                return Err(StoreError::failed(taken));
            }
        } else {
            self.store.save(&record).await.map_err(StoreError::failed)?;
        }
        Ok(Saved::Done)
    }
}

impl TokenStore for TowerSessionStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>> {
        Box::pin(self.read(key))
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(self.write(key, session, replaces))
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let _writing = self.writing.lock().await;
            self.store.delete(&id(key)).await.map_err(StoreError::failed)
        })
    }
}

/// The first half of the key's 256 bits.
fn id(key: &SessionKey) -> Id {
    let mut bytes = [0; 16];
    if let Ok(all) = URL_SAFE_NO_PAD.decode(key.as_str())
        && let Some((half, _)) = all.split_first_chunk::<16>()
    {
        bytes = *half;
    }
    Id(i128::from_be_bytes(bytes))
}
