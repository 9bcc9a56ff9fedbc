//! What most commands begin with: the configuration, and the store.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::ConfigFile;
use crate::config::{Config, Environment, Reading, load, read};
use crate::store::Store;

/// Reads the configuration file and the environment.
pub(super) fn config(file: &ConfigFile) -> Result<Config> {
    let (text, environment) = sources(file)?;
    Ok(load(&text, &environment)?)
}

/// Reads as much of them as can be read, for who tells all that is wrong.
pub(super) fn reading(file: &ConfigFile) -> Result<Reading> {
    let (text, environment) = sources(file)?;
    Ok(read(&text, &environment)?)
}

fn sources(file: &ConfigFile) -> Result<(String, Environment)> {
    let path: &Path = &file.file;
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "the configuration {} can't be read; write one from what `keyback config` prints, or name it with \
             --config",
            path.display()
        )
    })?;
    Ok((text, std::env::vars().collect()))
}

/// Opens the store of the configuration for a command that only shows: it makes none.
pub(super) async fn existing_store(file: &ConfigFile) -> Result<(Config, Store)> {
    let config = config(file)?;
    let database = config.store.url.path();
    if !database.exists() {
        bail!(
            "there is no database {} yet, so there is nothing to show; [store] url names it, and the first `keyback serve` \
             makes it",
            database.display()
        );
    }
    let store = Store::open(database).await?;
    Ok((config, store))
}

/// Opens the store of the configuration.
pub(super) async fn store(file: &ConfigFile) -> Result<(Config, Store)> {
    let config = config(file)?;
    let store = Store::open(config.store.url.path()).await?;
    Ok((config, store))
}
