//! The jobs that tell owners what was changed.

use keyback_core::identifier::Identifier;
use zeroize::Zeroizing;

use super::{Ended, JobError, hand_over};
use crate::app::Companion;
use crate::connectors::{MessageKind, Outgoing};
use crate::messages::{AddressChangedMessage, ChangedAddresses, Message, PasswordChangedMessage, Way};
use crate::outbox::{AddressChanged, ChangedBy, PasswordChanged};
use crate::pages::not_me;
use crate::store::jobs::Job;
use crate::text_messages::{self, TextMessage};

/// Tells an address of a changed password.
pub(crate) async fn tell_of_change(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
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
        at: notice.changed_at,
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
    deliver(companion, job, &notice.to, kind, &message, &app_name).await
}

/// Tells an address of a changed address.
pub(crate) async fn tell_of_address(companion: &Companion, job: &Job) -> Result<Ended, JobError> {
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
        at: notice.changed_at,
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
    deliver(companion, job, &notice.to, kind, &message, &app_name).await
}

async fn deliver(
    companion: &Companion,
    job: &Job,
    to: &Identifier,
    kind: MessageKind,
    message: &Message,
    app_name: &str,
) -> Result<Ended, JobError> {
    let now = companion.clock.now();
    if let Identifier::Phone(number) = to {
        let text = TextMessage {
            job_id: &job.id,
            to: number,
            client_id: None,
            now,
        };
        text_messages::count_notice(companion, text).await?;
    }
    let outgoing = Outgoing {
        to,
        kind,
        message,
        app_name,
        code: None,
        id: &job.id,
        now,
        expires_at: job.expires_at(),
    };
    hand_over(companion, &outgoing).await?;
    Ok(Ended::Arrived(None))
}

fn not_me_url(companion: &Companion, token: &str) -> Zeroizing<String> {
    Zeroizing::new(companion.url(&not_me::path(token)))
}
