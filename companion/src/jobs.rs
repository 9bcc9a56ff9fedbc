//! The worker that empties the outbox, and the sweep that forgets what has expired.

use std::sync::Arc;
use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::app::Companion;
use crate::breakers::{Circuit, TellsOfPeer as _};
use crate::connectors::{DeliveryError, MessageKind, Outgoing};
use crate::fail_point::{FailPoint, Step as Committed};
use crate::http::server::told_to_stop;
use crate::job_audit::{self, Ended};
use crate::logout::{self, LogoutError};
use crate::messages::{
    AddressChangedMessage, ChangedAddresses, CodeMessage, Message, MessageError, PasswordChangedMessage, Way,
};
use crate::metrics::{Outcome, Step};
use crate::outbox::{
    AddressChanged, ChangedBy, CodePurpose, JobKind, LogoutNotice, PasswordChanged, SendCode, WebhookDelivery,
};
use crate::pages::{not_me, reset_link};
use crate::places::Places;
use crate::store::jobs::{self as rows, Free, Job};
use crate::store::{StoreError, former_addresses, reset};
use crate::text_messages::{self, TextMessage};
use crate::time_text;
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
enum JobError {
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
            Self::Message(_) => false,
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
    if done.as_ref().is_err_and(JobError::is_paused) && rows::leave(companion.store.writer(), &job.id).await?
    {
        return Ok(());
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
            job_audit::write(companion, &mut tx, kind, job, &ended, now).await?;
        }
    }
    Ok(tx.commit().await?)
}

fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_RETRY)
}

/// Looks the account up, here and not on the request path. Without one, or where it may not reset, the job is
/// done: the challenge stays a decoy.
async fn send_code(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
    let order: SendCode = companion.outbox.open(job)?;
    let now = companion.clock.now();
    if order.purpose != CodePurpose::Reset {
        // The app that asked for it has said whom it is for.
        return deliver_code(companion, job, &order, None, now).await;
    }
    let found = former_addresses::find_resettable(companion.store.reader(), &order.identifier, now).await?;
    let user = found.map(|found| found.user);
    let subject = user.as_ref().map(|user| user.id.as_str());
    let writer = companion.store.writer();
    FailPoint::BeforeCommit(Committed::Bind).reach();
    let may_send =
        reset::bind_challenge(writer, &order.challenge_id, subject, &order.identifier, now).await?;
    FailPoint::AfterCommit(Committed::Bind).reach();
    let Some(user) = user.filter(|_| may_send) else {
        return Ok(Ended::Withheld);
    };
    let ended = deliver_code(companion, job, &order, Some(user.id.clone()), now).await?;
    if matches!(ended, Ended::Arrived(_)) {
        companion.metrics.step(Step::Sent);
        tracing::info!(job = %job.id, user = %user.id, "a code was sent");
    }
    Ok(ended)
}

/// Sends a code, which may be one for an account, unless it would be a text message that is held back.
async fn deliver_code(
    companion: &Companion,
    job: &Job,
    order: &SendCode,
    user_id: Option<String>,
    now: Timestamp,
) -> Result<Ended, JobError> {
    if let Identifier::Phone(number) = &order.identifier {
        let text = TextMessage {
            job_id: &job.id,
            to: number,
            client_id: order.client_id.as_deref(),
            now,
        };
        if !text_messages::admit_code(companion, text, user_id.as_deref()).await? {
            return Ok(Ended::Withheld);
        }
    }
    let app_name = companion.app_name(order.client_id.as_deref()).await?;
    let message = code_message(companion, order, &app_name, now)?;
    let outgoing = Outgoing {
        to: &order.identifier,
        kind: match order.purpose {
            CodePurpose::Reset => MessageKind::ResetCode,
            CodePurpose::Confirm => MessageKind::ConfirmCode,
            CodePurpose::App => MessageKind::AppCode,
        },
        message: &message,
        app_name: &app_name,
        code: Some(&order.code),
        id: &job.id,
        now,
        expires_at: order.expires_at,
    };
    hand_over(companion, &outgoing).await?;
    Ok(Ended::Arrived(user_id))
}

fn code_message(
    companion: &Companion,
    order: &SendCode,
    app_name: &str,
    now: Timestamp,
) -> Result<Message, MessageError> {
    let minutes = order.expires_at.since(now).as_secs().div_ceil(60);
    let link_url = order
        .link
        .as_deref()
        .map(|token| Zeroizing::new(companion.url(&reset_link::path(token))));
    let code = CodeMessage {
        app_name,
        code: &order.code,
        expires_in_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        link_url: link_url.as_deref().map(String::as_str),
        host: companion.public_url.host_str().unwrap_or_default(),
        color: companion.theme.color(),
    };
    match (order.purpose, &order.identifier) {
        (CodePurpose::Reset, Identifier::Email(_)) => companion.messages.render_reset_code(&code),
        (CodePurpose::Reset, Identifier::Phone(_)) => companion.messages.render_reset_code_sms(&code),
        (_, Identifier::Email(_)) => companion.messages.render_confirm_code(&code),
        (_, Identifier::Phone(_)) => companion.messages.render_confirm_code_sms(&code),
    }
}

async fn tell_of_change(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
    let notice: PasswordChanged = companion.outbox.open(job)?;
    // Of several verified addresses only those that a connector reaches can be told.
    if !companion.connectors.reaches(&notice.to) {
        return Ok(Ended::Withheld);
    }
    let reset_url = companion.url("/reset-password");
    let not_me_url = notice
        .freeze_token
        .as_deref()
        .map(|token| not_me_url(companion, token));
    let app_name = companion.app_name(notice.client_id.as_deref()).await?;
    let words = PasswordChangedMessage {
        app_name: &app_name,
        at: time_text::date_time(notice.changed_at),
        way: match notice.by {
            ChangedBy::Reset => Way::Reset,
            ChangedBy::Change => Way::Change,
        },
        sessions_ended: notice.sessions_ended,
        reset_url: &reset_url,
        not_me_url: not_me_url.as_deref().map(String::as_str),
        color: companion.theme.color(),
    };
    let message = match notice.to {
        Identifier::Email(_) => companion.messages.render_password_changed(&words),
        Identifier::Phone(_) => companion.messages.render_password_changed_sms(&words),
    }?;
    let kind = MessageKind::PasswordChanged;
    deliver_notice(
        companion,
        job,
        &Notice {
            to: &notice.to,
            kind,
            message: &message,
            app_name: &app_name,
        },
    )
    .await
}

async fn tell_of_address(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
    let notice: AddressChanged = companion.outbox.open(job)?;
    if !companion.connectors.reaches(&notice.to) {
        return Ok(Ended::Withheld);
    }
    let not_me_url = notice
        .freeze_token
        .as_deref()
        .map(|token| not_me_url(companion, token));
    let app_name = companion.app_name(None).await?;
    let words = AddressChangedMessage {
        app_name: &app_name,
        at: time_text::date_time(notice.changed_at),
        what: match (notice.email, notice.phone) {
            (true, true) => ChangedAddresses::Both,
            (_, false) => ChangedAddresses::Email,
            (false, true) => ChangedAddresses::Phone,
        },
        not_me_url: not_me_url.as_deref().map(String::as_str),
        color: companion.theme.color(),
    };
    let message = match notice.to {
        Identifier::Email(_) => companion.messages.render_address_changed(&words),
        Identifier::Phone(_) => companion.messages.render_address_changed_sms(&words),
    }?;
    let kind = MessageKind::AddressChanged;
    deliver_notice(
        companion,
        job,
        &Notice {
            to: &notice.to,
            kind,
            message: &message,
            app_name: &app_name,
        },
    )
    .await
}

struct Notice<'a> {
    to: &'a Identifier,
    kind: MessageKind,
    message: &'a Message,
    app_name: &'a str,
}

async fn deliver_notice(companion: &Companion, job: &Job, notice: &Notice<'_>) -> Result<Ended, JobError> {
    let now = companion.clock.now();
    if let Identifier::Phone(number) = notice.to {
        let text = TextMessage {
            job_id: &job.id,
            to: number,
            client_id: None,
            now,
        };
        text_messages::count_notice(companion, text).await?;
    }
    let outgoing = Outgoing {
        to: notice.to,
        kind: notice.kind,
        message: notice.message,
        app_name: notice.app_name,
        code: None,
        id: &job.id,
        now,
        expires_at: job.expires_at(),
    };
    hand_over(companion, &outgoing).await?;
    Ok(Ended::Arrived(None))
}

async fn hand_over(companion: &Companion, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
    let circuit = Circuit::to(outgoing.to);
    let call = companion.connectors.deliver(outgoing);
    companion
        .breakers
        .call_about(circuit, outgoing.to.as_str(), call)
        .await
}

fn not_me_url(companion: &Companion, token: &str) -> Zeroizing<String> {
    Zeroizing::new(companion.url(&not_me::path(token)))
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
