//! Forgetting what has expired (SR-86). Rows that have expired are dead already; this only makes room.

use std::time::Duration;

use keyback_core::time::Timestamp;

use super::{Provider, keys};
use crate::store::{
    StoreError, client_assertions, codes, device_codes, grants, interactions, machine_tokens,
    pushed_requests, sessions, tokens,
};

/// How long a device that asks too late learns that its code has expired.
const EXPIRED_DEVICES_REMEMBERED: Duration = Duration::from_secs(3_600);

impl Provider {
    /// Forgets expired sessions, codes, tokens, grants, requests and keys. Answers how many rows went.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let store = &self.0.store;
        let repeats_before = now - self.0.tokens.refresh_token_repeat.0;
        // One transaction each, so that sign-ins get their turn between.
        let mut swept = codes::sweep(store.writer(), now).await?;
        let mut tx = store.begin().await?;
        swept += tokens::sweep(&mut tx, now, repeats_before).await?;
        tx.commit().await?;
        let mut tx = store.begin().await?;
        // Remembered for a while, so that a slow device is told what has happened.
        swept += device_codes::sweep(&mut tx, now, now - EXPIRED_DEVICES_REMEMBERED).await?;
        tx.commit().await?;
        swept += grants::sweep(store.writer(), now).await?;
        let mut tx = store.begin().await?;
        swept += sessions::sweep(&mut tx, now).await?;
        tx.commit().await?;
        swept += interactions::sweep(store.writer(), now).await?;
        swept += pushed_requests::sweep(store.writer(), now).await?;
        swept += client_assertions::sweep(store.writer(), now).await?;
        swept += machine_tokens::sweep(store.writer(), now).await?;
        swept += keys::sweep(store, now).await?;
        Ok(swept)
    }
}
