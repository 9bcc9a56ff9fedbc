//! What the audit trail tells of a job: that a code, a notice, a logout token or a webhook's event arrived, or did not.
//!
//! It is written with the job's own row, whatever there is to tell: known and unknown addresses leave the same statements.

use keyback_core::identifier::IdentifierKind;
use keyback_core::time::Timestamp;
use serde_json::json;

use crate::app::Companion;
use crate::outbox::{AddressChanged, JobKind, LogoutNotice, PasswordChanged, SendCode, WebhookDelivery};
use crate::store::audit::{self, Actor, Line};
use crate::store::jobs::Job;
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
}

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

fn event(kind: JobKind, ended: &Ended) -> &'static str {
    match (kind, ended) {
        (JobKind::SendCode, Ended::Arrived(_)) => "code_sent",
        (JobKind::SendCode, Ended::Withheld) => "code_withheld",
        (JobKind::SendCode, Ended::Failed { .. }) => "code_not_sent",
        (JobKind::PasswordChanged | JobKind::AddressChanged, Ended::Arrived(_)) => "notice_sent",
        (JobKind::PasswordChanged | JobKind::AddressChanged, Ended::Withheld) => "notice_withheld",
        (JobKind::PasswordChanged | JobKind::AddressChanged, Ended::Failed { .. }) => "notice_not_sent",
        (JobKind::Logout, Ended::Arrived(_) | Ended::Withheld) => "app_told",
        (JobKind::Logout, Ended::Failed { .. }) => "app_not_told",
        (JobKind::Webhook, Ended::Arrived(_) | Ended::Withheld) => "webhook_told",
        (JobKind::Webhook, Ended::Failed { .. }) => "webhook_not_told",
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
