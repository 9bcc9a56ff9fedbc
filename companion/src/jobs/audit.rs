//! What the audit trail tells of a job: that a code, a notice, a logout token or a webhook's event arrived, or did not.
//!
//! It is written with the job's own row, whatever there is to tell: known and unknown addresses leave the same statements.

use keyback_core::identifier::IdentifierKind;
use keyback_core::time::Timestamp;
use serde_json::json;

use crate::app::Companion;
use crate::fail_point::{FailPoint, Write};
use crate::metrics::Outcome;
use crate::outbox::{AddressChanged, JobKind, LogoutNotice, PasswordChanged, SendCode, WebhookDelivery};
use crate::store::audit::{self, Actor, Line};
use crate::store::jobs::{self, Job};
use crate::store::{StoreError, Transaction, reset};

/// How a try of a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It arrived: a code at this account.
    Arrived(Option<String>),
    /// There is nobody whom it could be sent to.
    Withheld,
    /// It did not arrive, and is tried again or not.
    Failed { again: bool },
    /// Its time was over before it arrived.
    Expired,
}

/// Jobs that are erased in one transaction: others write in between.
const EXPIRED_AT_ONCE: u32 = 200;

/// Whom a job was about; nobody, where that can't be read.
#[derive(Default)]
struct About {
    subject: Option<String>,
    identifier: Option<String>,
    flow_id: Option<String>,
    client_id: Option<String>,
    channel: Option<IdentifierKind>,
}

/// Writes the line of a try.
pub(crate) async fn write(
    companion: &Companion,
    tx: &mut Transaction,
    kind: JobKind,
    job: &Job,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), StoreError> {
    let about = match About::of(companion, tx, kind, job).await {
        // What can't be read is given up, and that must not fail for the same reason.
        Err(StoreError::Corrupt { .. }) => About::default(),
        about => about?,
    };
    let mut detail = json!({});
    if let Some(channel) = about.channel {
        detail["channel"] = json!(channel);
    }
    let subject = match ended {
        Ended::Arrived(Some(subject)) => Some(subject.as_str()),
        Ended::Arrived(None) | Ended::Withheld => about.subject.as_deref(),
        Ended::Failed { again } => {
            detail["tries"] = job.attempts.into();
            detail["again"] = (*again).into();
            about.subject.as_deref()
        }
        Ended::Expired => {
            detail["tries"] = job.attempts.into();
            detail["expired"] = true.into();
            about.subject.as_deref()
        }
    };
    let line = Line {
        at: now,
        event: event(kind, ended),
        actor: Actor::System,
        subject,
        identifier: about.identifier.as_deref(),
        client_id: about.client_id.as_deref(),
        client_ip: None,
    };
    let random = companion.random.as_ref();
    audit::write_of_flow(
        &mut **tx,
        random,
        &line,
        about.flow_id.as_deref(),
        &detail.to_string(),
    )
    .await
}

/// Erases the jobs whose time is over, and tells of each, together: no notice is lost without a word.
pub(crate) async fn sweep(companion: &Companion, now: Timestamp) -> Result<(), StoreError> {
    loop {
        let mut tx = companion.store.begin().await?;
        let expired = jobs::take_expired(&mut *tx, now, EXPIRED_AT_ONCE).await?;
        for job in &expired {
            tracing::error!(job = %job.id, kind = %job.kind, attempts = job.attempts, "a job's time was over before it was done");
            if let Some(kind) = JobKind::parse(&job.kind) {
                write(companion, &mut tx, kind, job, &Ended::Expired, now).await?;
                companion.metrics.job(kind, Outcome::GivenUp);
            }
        }
        FailPoint::BeforeCommit(Write::Expire).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Expire).reach();
        if expired.len() < EXPIRED_AT_ONCE as usize {
            return Ok(());
        }
    }
}

fn event(kind: JobKind, ended: &Ended) -> &'static str {
    /// Arrived, withheld, not arrived.
    type Events = [&'static str; 3];
    const CODE: Events = ["code_sent", "code_withheld", "code_not_sent"];
    const NOTICE: Events = ["notice_sent", "notice_withheld", "notice_not_sent"];
    const APP: Events = ["app_told", "app_passed_over", "app_not_told"];
    const WEBHOOK: Events = ["webhook_told", "webhook_passed_over", "webhook_not_told"];

    let [arrived, withheld, not_arrived] = match kind {
        JobKind::SendCode => CODE,
        JobKind::PasswordChanged | JobKind::AddressChanged => NOTICE,
        JobKind::Logout => APP,
        JobKind::Webhook => WEBHOOK,
    };
    match ended {
        Ended::Arrived(_) => arrived,
        Ended::Withheld => withheld,
        Ended::Failed { .. } | Ended::Expired => not_arrived,
    }
}

impl About {
    async fn of(
        companion: &Companion,
        tx: &mut Transaction,
        kind: JobKind,
        job: &Job,
    ) -> Result<Self, StoreError> {
        let of_account = |subject: String, client_id: Option<String>| Self {
            subject: Some(subject),
            client_id,
            ..Self::default()
        };
        Ok(match kind {
            JobKind::SendCode => {
                let order: SendCode = companion.outbox.open(job)?;
                Self {
                    subject: None,
                    identifier: Some(companion.identifiers.hash(&order.identifier).as_str().to_owned()),
                    flow_id: reset::flow_of_challenge(&mut **tx, &order.challenge_id).await?,
                    client_id: order.client_id,
                    channel: Some(order.identifier.kind()),
                }
            }
            JobKind::PasswordChanged => {
                let notice: PasswordChanged = companion.outbox.open(job)?;
                Self {
                    channel: Some(notice.to.kind()),
                    ..of_account(notice.user_id, notice.client_id)
                }
            }
            JobKind::AddressChanged => {
                let notice: AddressChanged = companion.outbox.open(job)?;
                Self {
                    channel: Some(notice.to.kind()),
                    ..of_account(notice.user_id, None)
                }
            }
            JobKind::Logout => {
                let notice: LogoutNotice = companion.outbox.open(job)?;
                of_account(notice.user_id, Some(notice.client_id))
            }
            JobKind::Webhook => {
                let delivery: WebhookDelivery = companion.outbox.open(job)?;
                of_account(delivery.user_id, None)
            }
        })
    }
}
