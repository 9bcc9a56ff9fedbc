//! The worker that empties the outbox, and the sweep that forgets what has expired.
//!
//! | file | holds |
//! |---|---|
//! | `payloads.rs` | what each kind of job carries |
//! | `places.rs` | how many are under way |
//! | `codes.rs`, `notices.rs` | the jobs that send messages |
//! | `audit.rs` | what the audit trail tells of a job |

pub(crate) mod audit;
mod codes;
mod notices;
pub(crate) mod payloads;
mod places;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub(crate) use self::audit::Ended;
use self::codes::send_code;
use self::notices::{tell_of_address, tell_of_change};
use self::places::Places;
use crate::app::Companion;
use crate::breakers::{Circuit, TellsOfPeer as _};
use crate::connectors::{DeliveryError, Outgoing};
use crate::fail_point::{FailPoint, Write};
use crate::http::server::told_to_stop;
use crate::logout::{self, LogoutError};
use crate::messages::MessageError;
use crate::metrics::Outcome;
use crate::outbox::{JobKind, LogoutNotice, WebhookDelivery};
use crate::store::StoreError;
use crate::store::jobs::{self as rows, Free, Job};
use crate::webhooks;

/// A job whose worker died is taken again after this. Longer than any delivery may take.
const LEASE: Duration = Duration::from_secs(120);
/// How often due retries are looked for; new jobs wake the worker.
const POLL: Duration = Duration::from_millis(500);
/// How long to leave a store alone that can't be read.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(300);
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_secs(600);

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Logout(#[from] LogoutError),
}

impl JobError {
    /// Whether another try may do.
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => may_pass(error),
            // The next version may be able to write it.
            Self::Message(_) => true,
            Self::Delivery(error) | Self::Logout(LogoutError::Delivery(error)) => error.may_pass(),
            Self::Logout(LogoutError::Store(error)) => may_pass(error),
            // A key that is missing comes with the next look at the key rows.
            Self::Logout(LogoutError::Token(_)) => true,
        }
    }
}

impl JobError {
    /// Whether nothing was tried, since the peer is left alone.
    fn is_paused(&self) -> bool {
        matches!(
            self,
            Self::Delivery(DeliveryError::Paused(_))
                | Self::Logout(LogoutError::Delivery(DeliveryError::Paused(_)))
        )
    }

    /// How long to wait for the next try: longer each time, and as long as a provider asks, within reason.
    fn pause(&self, attempts: i64) -> Duration {
        let asked = match self {
            Self::Delivery(error) | Self::Logout(LogoutError::Delivery(error)) => error.asks_to_wait(),
            _ => None,
        };
        backoff(attempts).max(asked.unwrap_or_default().min(LONGEST_RETRY))
    }
}

fn may_pass(error: &StoreError) -> bool {
    !matches!(error, StoreError::Corrupt { .. })
}

/// Works until `stop` becomes true, then lets the running jobs end.
pub async fn run(companion: Arc<Companion>, mut stop: watch::Receiver<bool>) {
    let mut running = Places::default();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        let free = running.free();
        let (taken, pause) = match take(&companion, free).await {
            Ok(taken) => (taken, POLL),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the outbox can't be read");
                (Vec::new(), UNREADABLE_PAUSE)
            }
        };
        let found_some = !taken.is_empty();
        for job in taken {
            let (lane, companion) = (job.lane, Arc::clone(&companion));
            running.spawn(lane, async move { work(&companion, job).await });
        }
        if found_some {
            continue;
        }
        tokio::select! {
            () = companion.outbox.woken() => {}
            () = tokio::time::sleep(pause) => {}
            () = running.one_ended() => {}
            _ = sweep.tick() => sweep_all(&companion).await,
            () = told_to_stop(&mut stop) => break,
        }
    }
    running.all_ended().await;
}

/// Jobs of peers that are left alone stay where they are: they take no place, and cost no try.
async fn take(companion: &Companion, mut free: Free) -> Result<Vec<Job>, StoreError> {
    let mut left_alone = Vec::new();
    for circuit in companion.breakers.turning_away() {
        match circuit {
            Circuit::Email => free.email = 0,
            Circuit::Sms => free.sms = 0,
            Circuit::Webhook(_) | Circuit::App(_) => left_alone.push(circuit.to_string()),
            Circuit::Captcha | Circuit::Breached => {}
        }
    }
    if free.is_none() {
        return Ok(Vec::new());
    }
    rows::take(
        companion.store.writer(),
        companion.clock.now(),
        LEASE,
        free,
        &left_alone,
    )
    .await
}

async fn work(companion: &Companion, job: Job) {
    let kind = JobKind::parse(&job.kind);
    let here = |point: fn(JobKind) -> FailPoint| {
        if let Some(kind) = kind {
            point(kind).reach();
        }
    };
    here(FailPoint::Taken);
    let done = match kind {
        Some(JobKind::SendCode) => send_code(companion, &job).await,
        Some(JobKind::PasswordChanged) => tell_of_change(companion, &job).await,
        Some(JobKind::AddressChanged) => tell_of_address(companion, &job).await,
        Some(JobKind::Logout) => tell_of_logout(companion, &job).await,
        Some(JobKind::Webhook) => tell_webhook(companion, &job).await,
        None => Err(StoreError::Corrupt {
            table: "jobs",
            reason: format!("unknown kind {:?}", job.kind),
        }
        .into()),
    };
    here(FailPoint::Delivered);
    let settled = settle(companion, &job, kind, done).await;
    here(FailPoint::Done);
    if let Err(error) = settled {
        // Its lease runs out and it is taken again.
        tracing::error!(job = %job.id, %error, "the outbox can't be written");
    }
}

/// The end of a job or its next try, and what the audit trail tells of it, in one transaction: of tries that fail the first
/// and the last, since a server that is down for days would fill the trail otherwise.
async fn settle(
    companion: &Companion,
    job: &Job,
    kind: Option<JobKind>,
    done: Result<Ended, JobError>,
) -> Result<(), StoreError> {
    // It was taken beside others, and the first of them finds out how the peer stands. Where it is withdrawn by now, its end is
    // told here as that of any try.
    if done.as_ref().is_err_and(JobError::is_paused) {
        FailPoint::BeforeCommit(Write::Leave).reach();
        let is_left = rows::leave(companion.store.writer(), &job.id).await?;
        FailPoint::AfterCommit(Write::Leave).reach();
        if is_left {
            return Ok(());
        }
    }
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let (ended, outcome) = match done {
        Ok(ended) => {
            rows::done(&mut *tx, &job.id).await?;
            (ended, Outcome::Done)
        }
        Err(error) if error.is_transient() => {
            let run_at = now + error.pause(job.attempts);
            tracing::warn!(job = %job.id, kind = %job.kind, attempts = job.attempts, %error, "a job failed");
            if rows::retry(&mut *tx, &job.id, run_at, &error.to_string()).await? {
                (Ended::Failed { again: true }, Outcome::Retried)
            } else {
                (Ended::Failed { again: false }, Outcome::GivenUp)
            }
        }
        Err(error) => {
            tracing::error!(job = %job.id, kind = %job.kind, %error, "a job can't be done");
            rows::done(&mut *tx, &job.id).await?;
            (Ended::Failed { again: false }, Outcome::GivenUp)
        }
    };
    if let Some(kind) = kind {
        companion.metrics.job(kind, outcome);
        if ended != (Ended::Failed { again: true }) || job.attempts == 1 {
            audit::write(companion, &mut tx, kind, job, &ended, now).await?;
        }
    }
    let write = match outcome {
        Outcome::Done => Write::Settle,
        Outcome::Retried => Write::Retry,
        Outcome::GivenUp => Write::GiveUp,
    };
    FailPoint::BeforeCommit(write).reach();
    tx.commit().await?;
    FailPoint::AfterCommit(write).reach();
    Ok(())
}

fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_RETRY)
}

pub(crate) async fn hand_over(companion: &Companion, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
    let circuit = Circuit::to(outgoing.to);
    let call = companion.connectors.deliver(outgoing);
    companion
        .breakers
        .call_about(circuit, outgoing.to.as_str(), call)
        .await
}

async fn tell_of_logout(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
    let notice: LogoutNotice = companion.outbox.open(job)?;
    Ok(logout::deliver(companion, &notice).await?)
}

async fn tell_webhook(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
    let delivery: WebhookDelivery = companion.outbox.open(job)?;
    Ok(webhooks::deliver(companion, &job.id, &delivery).await?)
}

async fn sweep_all(companion: &Companion) {
    if let Err(error) = companion.sweep().await {
        tracing::error!(%error, "what has expired could not be forgotten");
    }
}
