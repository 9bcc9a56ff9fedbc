//! `keyback keys`: root keys in files, and the provider's signing keys in the store.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use keyback_core::random::SystemRandom;
use keyback_core::time::{Clock as _, SystemClock};

use super::{ConfigFile, open};
use crate::oidc::keys::{self, Handover};
use crate::secrets::RootKey;
use crate::time_text;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a root key, into a file that its owner alone may read, or to standard output
    New(NewArgs),
    /// List the root keys in use and the provider's signing keys
    List(ConfigFile),
    /// Begin to replace the provider's signing keys; relying parties see the new one before it signs
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The file to make; one that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The old keys have leaked: all of them go, announced ones too, and the new ones sign at once. Sign-ins fail at apps
    /// that keep the key set until they fetch it again, and until then such apps believe the old keys
    #[arg(long)]
    at_once: bool,
}

pub(super) async fn run(command: KeysCommand) -> Result<()> {
    match command {
        KeysCommand::New(args) => new(&args),
        KeysCommand::List(file) => list(&file).await,
        KeysCommand::Rotate(args) => rotate(&args).await,
    }
}

fn new(args: &NewArgs) -> Result<()> {
    let key = RootKey::generate(&SystemRandom);
    let Some(path) = &args.out else {
        println!("{}", key.to_text().as_str());
        return Ok(());
    };
    write_new(path, &key)?;
    println!("root key {} is in {}", key.id(), path.display());
    Ok(())
}

/// Writes a root key into a new file (0600). Shared with the demo.
pub(crate) fn write_new(path: &Path, key: &RootKey) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        writeln!(file, "{}", key.to_text().as_str())?;
        file.sync_all()
    });
    if let Err(error) = &written
        && error.kind() == ErrorKind::AlreadyExists
    {
        bail!(
            "{} is there already, and a key is never overwritten: what it has sealed could never be opened again. Choose \
             another name with --out",
            path.display()
        );
    }
    written.with_context(|| format!("the root key can't be written to {}", path.display()))
}

async fn list(file: &ConfigFile) -> Result<()> {
    let (config, store) = open::store(file).await?;
    for (at, id) in config.secrets.root_keys()?.ids().into_iter().enumerate() {
        println!(
            "root     {id}  {}",
            if at == 0 { "writes and reads" } else { "reads" }
        );
    }
    let now = SystemClock.now();
    for key in keys::list(&store).await? {
        let state = match key.leaves_at {
            Some(at) => format!("leaves {}", time_text::rfc3339(at)),
            None if key.signs_from > now => format!("signs from {}", time_text::rfc3339(key.signs_from)),
            None => "signs".to_owned(),
        };
        println!("signing  {}  {}  {state}", key.kid, key.algorithm);
    }
    store.close().await;
    Ok(())
}

async fn rotate(args: &RotateArgs) -> Result<()> {
    let (config, store) = open::store(&args.config).await?;
    let root_keys = config.secrets.root_keys()?;
    let now = SystemClock.now();
    let handover = if args.at_once {
        Handover::AtOnce
    } else {
        Handover::Announced
    };
    keys::rotate(&store, &root_keys, &config.tokens, handover, &SystemRandom, now).await?;
    store.close().await;
    list(&args.config).await?;
    if handover == Handover::AtOnce {
        eprintln!(
            "a running companion signs with the new keys within a second. Apps keep the key set for five minutes or \
             longer: restart those that must not believe the old keys meanwhile"
        );
    }
    Ok(())
}
