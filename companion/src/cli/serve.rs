//! `keyback serve`.

use std::sync::Arc;

use anyhow::Result;
use keyback_core::random::{Random as _, SystemRandom};
use keyback_core::time::SystemClock;

use super::{ConfigFile, open};
use crate::app::{Companion, Parts};
use crate::serve::{Running, StopSignals, listen};

pub(super) async fn run(file: &ConfigFile) -> Result<()> {
    let stop = StopSignals::listen()?;
    let config = open::config(file)?;
    let listener = listen(config.server.listen, "[server] listen").await?;
    let admin = match config.server.admin_listen {
        Some(address) => Some(listen(address, "[server] admin_listen").await?),
        None => None,
    };
    let parts = Parts {
        config,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        welcome: None,
    };
    let companion = Companion::start(parts).await?;
    // The random source seeds itself when it is first drawn from, which takes a good while: nobody should wait for it.
    tokio::task::spawn_blocking(|| SystemRandom.fill(&mut [0]));
    tracing::info!(listen = %listener.local_addr()?, public_url = %companion.public_url, "serving");
    let running = Running::start(&companion, listener, admin);
    let ended = running.until(stop).await;
    companion.store.close().await;
    Ok(ended?)
}
