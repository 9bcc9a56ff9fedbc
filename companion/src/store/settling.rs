//! Brings what was committed without waiting for the disk there soon: a power cut takes back no more than the last moment.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is committed within this time is brought to the disk at once.
const SOON: Duration = Duration::from_millis(100);

pub(super) struct Settling {
    sync: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
    is_due: AtomicBool,
}

impl Settling {
    /// Of SQLite's log at `path`. What one descriptor of a file wrote is brought to the disk by any other of it.
    pub(super) fn of_log(path: PathBuf) -> Arc<Self> {
        Self::by(move || match File::open(&path) {
            // Its last connection has written it back and taken it away.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            log => log?.sync_data(),
        })
    }

    fn by(sync: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            sync: Box::new(sync),
            is_due: AtomicBool::new(false),
        })
    }

    /// Something was committed without waiting for the disk.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.is_due.swap(true, Ordering::SeqCst) {
            return;
        }
        let settling = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            let synced = tokio::task::spawn_blocking(move || {
                // Whatever is committed from here on may come too late for this time.
                settling.is_due.store(false, Ordering::SeqCst);
                (settling.sync)()
            });
            if let Ok(Err(error)) = synced.await {
                tracing::error!(%error, "what was written last is not on the disk yet: look after the disk of the database");
            }
        });
    }
}

impl std::fmt::Debug for Settling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settling").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test]
    async fn what_is_committed_together_is_brought_to_the_disk_together_and_soon() {
        let synced = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&synced);
        let settling = Settling::by(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        for times in 1..=3 {
            for _ in 0..100 {
                settling.begin();
            }
            assert_eq!(synced.load(Ordering::SeqCst), times - 1);
            while synced.load(Ordering::SeqCst) < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    #[test]
    fn a_log_that_is_gone_is_on_the_disk_and_one_that_cannot_be_opened_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("keyback.db-wal");
        assert!((Settling::of_log(log.clone()).sync)().is_ok());
        std::fs::write(&log, "frames").unwrap();
        assert!((Settling::of_log(log.clone()).sync)().is_ok());
        assert!((Settling::of_log(log.join("below")).sync)().is_err());
    }
}
