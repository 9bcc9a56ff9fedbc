//! One-time codes of apps: `/api/verification-codes` for a site's own pages, and what the codes of the Account API share
//! with it. As in a reset, what rests is a keyed digest, a try is counted before it is compared, and the latest code alone
//! counts (SR-16 to SR-25).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use keyback_core::identifier::Identifier;
use keyback_core::ids::{ChallengeId, FlowId, JobId};
use keyback_core::one_time_code::{CodeContext, OneTimeCode};
use keyback_core::time::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use crate::app::Companion;
use crate::logto_account::with_plus;
use crate::metrics::{Place, Reason};
use crate::outbox::{CodePurpose, SendCode};
use crate::store::audit::{self, CodeOf, Line};
use crate::store::jobs;
use crate::store::sent_codes::{self, SentCode};

/// Where a code goes: exactly one of the two.
#[derive(Deserialize)]
pub(super) struct Recipient {
    email: Option<String>,
    phone: Option<String>,
}

/// A code that was typed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Typed {
    #[serde(flatten)]
    recipient: Recipient,
    verification_code: Zeroizing<String>,
}

/// Who sends codes, and may try them: a code is nobody else's (SR-23).
pub(super) struct Holder<'a> {
    /// What the rows call it.
    pub(super) name: String,
    pub(super) client_id: &'a str,
    pub(super) purpose: CodePurpose,
}

impl Recipient {
    fn parse(&self) -> Result<Identifier, ApiError> {
        match (&self.email, &self.phone) {
            (Some(email), None) => address("email", email),
            (None, Some(phone)) => address("phone", phone),
            _ => Err(ApiError::invalid_input("Name one recipient, as email or phone.")),
        }
    }
}

/// Reads where a code goes, by the name of its kind.
pub(super) fn address(kind: &str, value: &str) -> Result<Identifier, ApiError> {
    let read = match kind {
        "email" => Identifier::parse(value)
            .ok()
            .filter(|found| matches!(found, Identifier::Email(_))),
        "phone" => Identifier::parse(&with_plus(value))
            .ok()
            .filter(|found| matches!(found, Identifier::Phone(_))),
        _ => None,
    };
    read.ok_or_else(|| {
        ApiError::invalid_input(
            "A code goes to an email such as ada@example.com, or to a phone with its country code such as 14155550123.",
        )
    })
}

fn of_app(operator: &Operator) -> Holder<'_> {
    Holder {
        name: format!("app:{}", operator.app.client_id),
        client_id: &operator.app.client_id,
        purpose: CodePurpose::App,
    }
}

/// Sends a code to anybody, with or without an account: which it is nobody is told.
pub(super) async fn post(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Body(recipient): Body<Recipient>,
) -> ApiResult {
    let to = recipient.parse()?;
    let mut line = operator.line("code_sent_by_app", "", companion.clock.now());
    line.subject = None;
    send(&companion, &of_app(&operator), to, line).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn verify(
    State(companion): State<Arc<Companion>>,
    operator: Operator,
    Body(typed): Body<Typed>,
) -> ApiResult {
    let (from, holder) = (typed.recipient.parse()?, of_app(&operator));
    let hash = companion.identifiers.hash(&from);
    let db = companion.store.reader();
    let sent = sent_codes::find_sent_to(db, &holder.name, hash.as_str()).await?;
    let sent = sent.ok_or_else(ApiError::no_code)?;
    let mut line = operator.line("", "", companion.clock.now());
    line.subject = None;
    check(&companion, &holder, &sent, &from, &typed.verification_code, line).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Writes a code and the job that sends it. The limits of the address are those of its resets too, so that nobody gets
/// more messages by asking at two doors; the address of the caller says nothing, since it is a site's server.
pub(super) async fn send(
    companion: &Companion,
    holder: &Holder<'_>,
    to: Identifier,
    mut line: Line<'_>,
) -> Result<SentCode, ApiError> {
    if !companion.connectors.reaches(&to) {
        return Err(ApiError::refused(
            StatusCode::NOT_IMPLEMENTED,
            "connector.not_found",
            "Nothing here carries messages of this kind: configure [email] or [sms].",
        ));
    }
    let (hash, now) = (companion.identifiers.hash(&to), companion.clock.now());
    let allowed = companion
        .limiter
        .send_by_app(&hash, holder.client_id, now)
        .await?;
    allowed.map_err(ApiError::too_many_messages)?;
    let random = companion.random.as_ref();
    let (id, code) = (ChallengeId::draw(random), OneTimeCode::draw(random));
    let code_digest = companion
        .code_keys
        .digest(&code, &context(holder, &flow_of(holder), &id, &to));
    let sent = SentCode {
        id,
        holder: holder.name.clone(),
        identifier_hash: hash.as_str().to_owned(),
        code_digest,
        created_at: now,
        expires_at: now + companion.resets.settings().code_life,
        attempts: 0,
    };
    let order = SendCode {
        challenge_id: sent.id.as_str().to_owned(),
        identifier: to,
        code: Zeroizing::new(code.reveal().to_owned()),
        client_id: Some(holder.client_id.to_owned()),
        expires_at: sent.expires_at,
        link: None,
        purpose: holder.purpose,
    };
    line.identifier = Some(hash.as_str());
    let mut tx = companion.store.begin().await?;
    if let Some(before) = sent_codes::replace(&mut tx, &sent).await? {
        let of = CodeOf {
            subject: line.subject,
            identifier: line.identifier,
            client_id: line.client_id,
            ..CodeOf::default()
        };
        jobs::withdraw(&mut tx, &before, of, now).await?;
    }
    companion
        .outbox
        .send_ordered(&mut *tx, &JobId::draw(random), &order, now, now)
        .await?;
    audit::write(&mut *tx, random, &line).await?;
    tx.commit().await?;
    companion.outbox.wake();
    Ok(sent)
}

/// Whether a code is the one that was sent; then it is used up. What the row alone tells is told first; then the try is
/// counted; only then is the code looked at. `line` is that of the try, but for what came of it.
pub(super) async fn check(
    companion: &Companion,
    holder: &Holder<'_>,
    sent: &SentCode,
    from: &Identifier,
    typed: &str,
    mut line: Line<'_>,
) -> Result<(), ApiError> {
    let (hash, now) = (companion.identifiers.hash(from), companion.clock.now());
    let most = companion.resets.settings().code_attempts;
    if sent.identifier_hash != hash.as_str() {
        return Err(ApiError::other_recipient(from));
    }
    if now >= sent.expires_at {
        return Err(ApiError::bad_request(
            "verification_code.expired",
            "The code is too old; send another one.",
        ));
    }
    let used_up = || {
        ApiError::bad_request(
            "verification_code.exceed_max_try",
            "Too many codes were wrong; send another one.",
        )
    };
    if sent.attempts >= most {
        return Err(used_up());
    }
    let mismatch = || {
        ApiError::bad_request(
            "verification_code.code_mismatch",
            "This is not the code that was sent last.",
        )
    };
    // Nothing is counted for what can't be a code.
    let code = OneTimeCode::parse(typed).map_err(|_| mismatch())?;
    let allowed = companion.limiter.verify_by_app(&hash, now).await?;
    allowed.map_err(ApiError::too_many_tries)?;
    let mut tx = companion.store.begin().await?;
    if !sent_codes::count_attempt(&mut *tx, &sent.id, most, now).await? {
        return Err(used_up());
    }
    let flow = flow_of(holder);
    let context = context(holder, &flow, &sent.id, from);
    let is_right = companion.code_keys.matches(&sent.code_digest, &code, &context);
    line.event = if is_right {
        "code_accepted"
    } else {
        "code_rejected"
    };
    line.identifier = Some(hash.as_str());
    let random = companion.random.as_ref();
    let settled = sent_codes::settle(&mut tx, sent, is_right.then_some(&hash), random, &line).await;
    // Whatever has become of the rest: a failure gives no try back.
    tx.commit().await?;
    settled?;
    if is_right {
        return Ok(());
    }
    companion.metrics.refused(Place::Api, Reason::WrongCode);
    Err(mismatch())
}

/// How long what a code gives may last: as the code's row was to, from when it was sent.
pub(super) fn until(sent: &SentCode, life: Duration) -> Timestamp {
    sent.created_at + life
}

fn flow_of(holder: &Holder<'_>) -> FlowId {
    FlowId::new(holder.name.as_str())
}

fn context<'a>(
    holder: &Holder<'a>,
    flow_id: &'a FlowId,
    challenge_id: &'a ChallengeId,
    identifier: &'a Identifier,
) -> CodeContext<'a> {
    CodeContext {
        flow_id,
        challenge_id,
        identifier,
        client_id: Some(holder.client_id),
    }
}
