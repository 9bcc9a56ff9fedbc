//! `keyback migrate`.

use anyhow::Result;

use super::{ConfigFile, open};

pub(super) async fn run(file: &ConfigFile) -> Result<()> {
    let (config, store) = open::store(file).await?;
    println!("{} is up to date", config.store.url);
    store.close().await;
    Ok(())
}
