//! What holds text messages back, since each costs money: somebody earns by making a site send them (SR-14).
//!
//! It is asked by the worker, for messages that would be sent: made-up numbers use nothing up, and who asked for the code
//! is shown what everybody is shown. The operator is told by the log and the audit trail.

use keyback_core::phone::PhoneNumber;
use keyback_core::rate_limit::LimitKey;
use keyback_core::time::Timestamp;

use crate::app::Companion;
use crate::config::sms_limits::{Price, SmsLimits};
use crate::store::text_messages::{self as rows, Admission, Allowance, Charge};
use crate::store::{StoreError, audit};

/// A text message that a job is about to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextMessage<'a> {
    pub(crate) job_id: &'a str,
    pub(crate) to: &'a PhoneNumber,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Why a code was held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Country,
    Prefix,
    MessagesOfDay,
    SpendOfDay,
}

impl Cause {
    /// The key of `[sms]` that says so.
    const fn key(self) -> &'static str {
        match self {
            Self::Country => "countries",
            Self::Prefix => "messages_per_prefix",
            Self::MessagesOfDay => "messages_per_day",
            Self::SpendOfDay => "spend_per_day",
        }
    }
}

/// Whether a code may be sent to somebody, who may have an account. If so, it has been counted; if not, the operator has been told.
pub(crate) async fn admit_code(
    companion: &Companion,
    message: TextMessage<'_>,
    subject: Option<&str>,
) -> Result<bool, StoreError> {
    let limits = companion.config.sms.limits();
    let region = message.to.region();
    let cause = if limits.allow(region) {
        let prefix = companion.identifiers.hash_prefix(message.to);
        let allowance = Allowance {
            prefix: (LimitKey::SmsPrefix(prefix), limits.per_prefix),
            messages_per_day: limits.messages_per_day,
            spend_per_day: limits.spend_per_day.map(Price::millionths),
        };
        match rows::admit(&companion.store, charge(&limits, message), &allowance).await? {
            Admission::Admitted => return Ok(true),
            Admission::Prefix => Cause::Prefix,
            Admission::MessagesOfDay => Cause::MessagesOfDay,
            Admission::SpendOfDay => Cause::SpendOfDay,
        }
    } else {
        Cause::Country
    };
    let country = region.map_or_else(|| "none".to_owned(), |region| region.to_string());
    tracing::warn!(
        job = message.job_id,
        cause = cause.key(),
        country,
        "a code by SMS was held back; the cause is a key of [sms]"
    );
    let identifier = companion.identifiers.hash_text(message.to.as_str());
    let line = audit::Line {
        at: message.now,
        event: "text_message_held_back",
        actor: audit::Actor::Companion,
        subject,
        identifier: Some(identifier.as_str()),
        client_id: message.client_id,
        client_ip: None,
    };
    let detail = serde_json::json!({ "cause": cause.key(), "country": country }).to_string();
    audit::write_with_detail(
        companion.store.writer(),
        companion.random.as_ref(),
        &line,
        &detail,
    )
    .await?;
    Ok(false)
}

/// Counts a notice. It follows a change that its receiver has proved to be allowed to make, or has to hear of: nothing
/// holds it back.
pub(crate) async fn count_notice(companion: &Companion, message: TextMessage<'_>) -> Result<(), StoreError> {
    let limits = companion.config.sms.limits();
    rows::count(&companion.store, charge(&limits, message)).await
}

fn charge<'a>(limits: &SmsLimits, message: TextMessage<'a>) -> Charge<'a> {
    Charge {
        job_id: message.job_id,
        price: limits.price(message.to.region()).millionths(),
        now: message.now,
    }
}
