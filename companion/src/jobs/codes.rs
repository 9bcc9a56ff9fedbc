//! The jobs that send codes.

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use zeroize::Zeroizing;

use super::{Ended, JobError, hand_over};
use crate::app::Companion;
use crate::connectors::{MessageKind, Outgoing};
use crate::fail_point::{FailPoint, Write};
use crate::messages::{CodeMessage, Message, MessageError};
use crate::metrics::Step;
use crate::outbox::{CodePurpose, SendCode};
use crate::pages::reset_link;
use crate::store::jobs::Job;
use crate::store::{former_addresses, reset};
use crate::text_messages::{self, TextMessage};

/// Looks the account up, here and not on the request path. Without one, or where it may not reset, the job is
/// done: the challenge stays a decoy.
pub(crate) async fn send_code(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
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
    FailPoint::BeforeCommit(Write::Bind).reach();
    let may_send =
        reset::bind_challenge(writer, &order.challenge_id, subject, &order.identifier, now).await?;
    FailPoint::AfterCommit(Write::Bind).reach();
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
