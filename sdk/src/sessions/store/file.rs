//! Sessions in files of their owner's alone.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::super::SessionKey;
use super::{Saved, SealedSession, StoreError, StoreFuture, TokenStore, private};
use crate::random::{Random as _, SystemRandom};

/// Larger than any session: whatever wrote it, it was not this store.
const LARGEST: u64 = 1024 * 1024;

/// Keeps each session in a file of a folder, for native programs and small servers. The folder is readable for its
/// owner alone (0700), the files too (0600); a file is replaced at once or not at all, and a lock keeps two programs from
/// writing at the same time.
///
/// The calls block for the moment that small files take.
#[derive(Clone, Debug)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// Keeps sessions in `folder`, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] when the folder can't be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        private::make_folder(&folder).map_err(StoreError::failed)?;
        Ok(Self { folder })
    }

    /// A sealing key of this folder's own, drawn when it is first asked for and then kept in its file `key` (0600). It
    /// keeps copies of single session files from being of use; who can read the whole folder has the key as well. Where
    /// the system has a keyring, keep a key there and leave this out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] when the key can neither be read nor made.
    pub fn sealing_key(&self) -> Result<[u8; 32], StoreError> {
        let path = self.folder.join("key");
        let _lock = self.lock()?;
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map_err(|_| {
                StoreError::failed(io::Error::new(
                    ErrorKind::InvalidData,
                    "the file `key` is damaged",
                ))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut key = [0; 32];
                SystemRandom.fill(&mut key).map_err(StoreError::failed)?;
                private::replace(&path, &key).map_err(StoreError::failed)?;
                Ok(key)
            }
            Err(error) => Err(StoreError::failed(error)),
        }
    }

    fn path(&self, key: &SessionKey) -> PathBuf {
        self.folder.join(format!("{}.session", key.as_str()))
    }

    fn read(&self, key: &SessionKey) -> Result<Option<SealedSession>, StoreError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::failed(error)),
            Ok(metadata) if metadata.len() > LARGEST => return Ok(None),
            Ok(_) => {}
        }
        match fs::read(path) {
            Ok(bytes) => Ok(SealedSession::from_bytes(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::failed(error)),
        }
    }

    fn write(
        &self,
        key: &SessionKey,
        session: &SealedSession,
        replaces: Option<u64>,
    ) -> Result<Saved, StoreError> {
        let _lock = self.lock()?;
        let present = self.read(key)?;
        if present.as_ref().map(SealedSession::version) != replaces {
            return Ok(Saved::Conflict);
        }
        private::replace(&self.path(key), &session.to_bytes()).map_err(StoreError::failed)?;
        Ok(Saved::Done)
    }

    fn lock(&self) -> Result<File, StoreError> {
        let file = private::open(&self.folder.join("lock")).map_err(StoreError::failed)?;
        // Given back when the file is closed.
        file.lock().map_err(StoreError::failed)?;
        Ok(file)
    }
}

impl TokenStore for FileStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>> {
        Box::pin(async move { self.read(key) })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move { self.write(key, &session, replaces) })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let _lock = self.lock()?;
            match fs::remove_file(self.path(key)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::failed(error)),
                _ => Ok(()),
            }
        })
    }
}
