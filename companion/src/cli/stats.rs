//! `keyback stats`: how the passwords of the accounts are hashed, and how many of them still in the form of another
//! system (SR-51).

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{ConfigFile, open};
use crate::hashing::HashKind;
use crate::store::password_hashes;

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// A JSON object a line
    #[arg(long)]
    json: bool,
}

/// What an account signs in with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Password {
    Hashed(HashKind),
    /// Its hash is broken or out of bounds.
    Unusable,
    None,
}

/// What becomes of a password at the next sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It is hashed as new ones are.
    Current,
    /// It is hashed anew.
    Outdated,
    /// Nothing: nobody can sign in with it.
    Unusable,
    /// There is none.
    None,
}

/// A line, for programs: every key stands in every line.
#[derive(Serialize)]
struct Line<'a> {
    algorithm: Option<&'a str>,
    parameters: BTreeMap<&'a str, u32>,
    state: State,
    accounts: u64,
    /// Of all accounts, from 0 to 1.
    share: f64,
}

pub(super) async fn run(args: &StatsArgs) -> Result<()> {
    let (config, store) = open::existing_store(&args.config).await?;
    let mut counts: BTreeMap<Password, u64> = BTreeMap::new();
    let count = |hash: Option<&str>| *counts.entry(Password::of(hash)).or_default() += 1;
    password_hashes::each(store.reader(), count).await?;
    store.close().await;
    let current = HashKind::of_new(config.hashing.params());
    let all: u64 = counts.values().sum();
    if !args.json {
        println!(
            "{:>10}  {:>6}  {:<36}  STATE",
            "ACCOUNTS", "SHARE", "PASSWORD HASH"
        );
    }
    for (password, accounts) in &counts {
        let line = Line::new(password, &current, *accounts, all);
        if args.json {
            println!("{}", serde_json::to_string(&line)?);
        } else {
            let share = format!("{:.1}%", line.share * 100.0);
            println!(
                "{accounts:>10}  {share:>6}  {:<36}  {}",
                password.shown(),
                line.state.told()
            );
        }
    }
    Ok(())
}

impl Password {
    fn of(stored: Option<&str>) -> Self {
        match stored.map(HashKind::of) {
            Some(Some(kind)) => Self::Hashed(kind),
            Some(None) => Self::Unusable,
            None => Self::None,
        }
    }

    fn state(&self, current: &HashKind) -> State {
        match self {
            Self::Hashed(kind) if kind == current => State::Current,
            Self::Hashed(_) => State::Outdated,
            Self::Unusable => State::Unusable,
            Self::None => State::None,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Hashed(kind) => kind.to_string(),
            Self::Unusable => "unknown".to_owned(),
            Self::None => "no password".to_owned(),
        }
    }
}

impl State {
    fn told(self) -> &'static str {
        match self {
            Self::Current => "as new ones are",
            Self::Outdated => "hashed anew at the next sign-in",
            Self::Unusable => "can't be checked: a reset sets another",
            Self::None => "a reset sets the first",
        }
    }
}

impl<'a> Line<'a> {
    fn new(password: &'a Password, current: &HashKind, accounts: u64, all: u64) -> Self {
        let kind = match password {
            Password::Hashed(kind) => Some(kind),
            Password::Unusable | Password::None => None,
        };
        Self {
            algorithm: kind.map(|kind| kind.algorithm),
            parameters: kind
                .into_iter()
                .flat_map(|kind| kind.parameters.iter().copied())
                .collect(),
            state: password.state(current),
            accounts,
            share: share(accounts, all),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more digits than it is shown with"
)]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}
