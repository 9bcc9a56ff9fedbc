//! Writes the accounts of a file: all of them or none, in one transaction, unless the import commits in parts.
//!
//! A thread reads and checks, this task writes, and a few hundred accounts wait between them: a file of any length
//! takes the same memory. The unique columns of the store find what a file has twice, and what is there already; ids are
//! noted apart, so that one that comes twice is found in an import that leaves existing accounts alone, too.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use keyback_core::random::{Random, short_id};
use keyback_core::time::Timestamp;
use tokio::sync::mpsc;

use super::record::{Record, Rules};
use super::report::{Outcome, Report};
use super::source::{self, Format, Place};
use crate::store::audit::{self, Actor, Line};
use crate::store::import::{self as rows, NewAccount, Unique};
use crate::store::{Store, StoreError, Transaction};

/// Accounts that are written by one statement.
const BATCH: usize = 500;
/// Batches that may wait.
const WAITING: usize = 4;
/// Between two parts. SQLite's lock is not fair: whoever waits for it looks again after a while, a tenth of a second at
/// most, and finds it taken where an import takes it back at once. In this time each looks twice.
const PAUSE: Duration = Duration::from_millis(250);
/// Told of what stands in a file twice.
const BEFORE: &str = "an entry before this one has it";

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub format: Format,
    pub rules: Rules,
    /// Check everything and write nothing.
    pub dry_run: bool,
    /// Leave entries alone whose id, address or user name an account has.
    pub skip_existing: bool,
    /// Commit after this many accounts, and pause, so that others can write in between. None: after the last.
    pub commit_every: Option<u64>,
}

/// Why an import broke off. Nothing of the running transaction is written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file can't be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("the reading thread has stopped")]
    Stopped,
}

type Checked = Vec<(Place, Result<Record, Vec<String>>)>;

/// Imports a file.
pub async fn run(
    store: &Store,
    from: impl Read + Send + 'static,
    options: Options,
    random: Arc<dyn Random>,
    now: Timestamp,
) -> Result<Report, ImportError> {
    let (to_writer, mut batches) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || check(from, options, &to_writer));
    store.prepare_for_bulk().await?;
    let mut import = Import {
        store,
        options,
        random,
        now,
        report: Report::new(),
        committed: Counts::default(),
    };
    let mut tx = store.begin().await?;
    rows::forget_noted_ids(&mut tx).await?;
    while let Some(batch) = batches.recv().await {
        import.write(&mut tx, batch).await?;
        if import.breaks_off() {
            break;
        }
        if import.part_is_full() {
            import.commit(tx).await?;
            tokio::time::sleep(PAUSE).await;
            tx = store.begin().await?;
        }
    }
    // The reader ends when nobody listens any more.
    drop(batches);
    reading.await.map_err(|_| ImportError::Stopped)??;
    import.finish(tx).await
}

/// Reads and checks the entries, in batches, until the file or the other end ends.
fn check(from: impl Read, options: Options, to_writer: &mpsc::Sender<Checked>) -> Result<(), std::io::Error> {
    let mut batch = Checked::with_capacity(BATCH);
    source::read(from, options.format, |(place, members)| {
        let checked = match members {
            Ok(members) => Record::read(&members, options.rules),
            Err(problem) => Err(vec![problem]),
        };
        batch.push((place, checked));
        if batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        let full = std::mem::replace(&mut batch, Checked::with_capacity(BATCH));
        match to_writer.blocking_send(full) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    // A writer that has gone wants no more.
    let _ = to_writer.blocking_send(batch);
    Ok(())
}

/// What a commit made lasting.
#[derive(Clone, Copy, Default)]
struct Counts {
    added: u64,
    without_password: u64,
    without_address: u64,
}

struct Import<'a> {
    store: &'a Store,
    options: Options,
    random: Arc<dyn Random>,
    now: Timestamp,
    report: Report,
    committed: Counts,
}

impl Import<'_> {
    async fn write(&mut self, tx: &mut Transaction, batch: Checked) -> Result<(), ImportError> {
        let mut accounts = Vec::with_capacity(batch.len());
        let mut places = Vec::with_capacity(batch.len());
        let ids = batch
            .iter()
            .filter_map(|(_, checked)| checked.as_ref().ok()?.id.clone());
        let mut new_ids = rows::note_ids(tx, &ids.collect::<Vec<_>>()).await?;
        for (place, checked) in batch {
            match checked {
                // One of two persons would be lost, and with --skip-existing nobody would be told.
                Ok(Record { id: Some(id), .. }) if !new_ids.remove(&id) => {
                    let what = format!("{}: {id}: {BEFORE}", Unique::Id.name());
                    self.report.problem(place, what);
                }
                Ok(record) => {
                    places.push(place);
                    accounts.push(self.account(record));
                }
                Err(problems) => problems
                    .into_iter()
                    .for_each(|problem| self.report.problem(place, problem)),
            }
        }
        let left_out = rows::add(tx, &accounts, self.now).await?;
        let mut added = vec![true; accounts.len()];
        for index in left_out {
            added[index] = false;
            if self.options.skip_existing {
                self.report.skipped += 1;
            } else {
                let what = self.whose(tx, &accounts[index]).await?;
                self.report.problem(places[index], what);
            }
        }
        for (account, _) in accounts.iter().zip(added).filter(|(_, added)| *added) {
            self.report.added += 1;
            self.report.without_password += u64::from(account.password_hash.is_none());
            self.report.without_address += u64::from(account.email.is_none() && account.phone.is_none());
        }
        Ok(())
    }

    /// Whether it is time to let others write.
    fn part_is_full(&self) -> bool {
        let since = self.report.added - self.committed.added;
        self.options.commit_every.is_some_and(|every| since >= every)
            && self.report.problem_count == 0
            && !self.options.dry_run
    }

    /// Whether the rest of the file is of no use: an import in parts ends at its first problem.
    fn breaks_off(&self) -> bool {
        self.options.commit_every.is_some() && self.report.problem_count > 0 && !self.options.dry_run
    }

    async fn finish(mut self, tx: Transaction) -> Result<Report, ImportError> {
        self.report.outcome = if self.report.problem_count > 0 {
            Outcome::Refused
        } else if self.options.dry_run {
            Outcome::Checked
        } else {
            Outcome::Written
        };
        if self.report.outcome == Outcome::Written {
            self.commit(tx).await?;
        }
        if self.report.outcome == Outcome::Refused {
            self.report.added = self.committed.added;
            self.report.without_password = self.committed.without_password;
            self.report.without_address = self.committed.without_address;
        }
        Ok(self.report)
    }

    /// Makes what was written lasting, with a line of the audit trail.
    async fn commit(&mut self, mut tx: Transaction) -> Result<(), ImportError> {
        let added = self.report.added - self.committed.added;
        if added > 0 {
            let line = Line {
                at: self.now,
                event: "users_imported",
                actor: Actor::Operator,
                subject: None,
                identifier: None,
                client_id: None,
                client_ip: None,
            };
            let detail = serde_json::json!({ "added": added }).to_string();
            audit::write_with_detail(&mut *tx, &*self.random, &line, &detail).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        self.committed = Counts {
            added: self.report.added,
            without_password: self.report.without_password,
            without_address: self.report.without_address,
        };
        Ok(())
    }

    fn account(&self, record: Record) -> NewAccount {
        let created_at = record.created_at.unwrap_or(self.now);
        NewAccount {
            id: record.id.unwrap_or_else(|| short_id(&*self.random)),
            username: record.username,
            email: record.email,
            email_verified: record.email_verified,
            phone: record.phone,
            phone_verified: record.phone_verified,
            name: record.name,
            profile: record.profile.to_stored(),
            disabled: record.disabled,
            created_at,
            updated_at: record.updated_at.unwrap_or(created_at),
            password_hash: record.password_hash.map(|hash| hash.as_str().to_owned()),
        }
    }

    /// What of an account another one has.
    async fn whose(&self, tx: &mut Transaction, account: &NewAccount) -> Result<String, ImportError> {
        let taken = rows::taken(tx, account).await?;
        let Some((column, value)) = taken else {
            return Ok("another account has what this one has".to_owned());
        };
        // Readers see what is committed: what they don't see stands in this file.
        let before = rows::exists(self.store.reader(), column, value).await?;
        let who = if before {
            "an account of the store has it (--skip-existing leaves it alone)"
        } else {
            BEFORE
        };
        Ok(format!("{}: {value}: {who}", column.name()))
    }
}
