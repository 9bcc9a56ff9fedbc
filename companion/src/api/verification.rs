//! `/api/verifications`: proving again who one is, by the password or by a code that goes to one's own address. A change
//! asks for it (SR-72).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use keyback_core::ids::Subject;
use keyback_core::random::Random;
use keyback_core::time::Timestamp;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Person;
use super::codes::{self, Holder};
use super::error::{ApiError, ApiResult};
use super::user_password::Password;
use crate::app::Companion;
use crate::metrics::{Place, Reason};
use crate::outbox::CodePurpose;
use crate::secrets::Sealer;
use crate::store::audit::{self, Actor, Line};
use crate::store::users::UserWithPassword;
use crate::store::{credentials, sent_codes};
use crate::time_text;

/// As Logto's.
const LIFE: Duration = Duration::from_secs(600);
/// The header that shows a verification.
const SHOWN: &str = "logto-verification-id";

/// Makes and opens verifications. Each is a sealed moment, bound to account, session and the hash of the password that
/// there was, empty where there was none: with that password, however it is replaced, all its verifications end, and none
/// is a row.
pub(crate) struct Verifications(Sealer);

impl Verifications {
    pub(crate) fn new(sealer: Sealer) -> Self {
        Self(sealer)
    }

    fn make(&self, random: &dyn Random, person: &Person, phc: &str, until: Timestamp) -> String {
        let plain = until.as_millis().to_be_bytes();
        self.0.seal_text(random, &context(person, phc), &plain)
    }

    /// Whether a call shows one that holds.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        person: &Person,
        phc: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let until = headers
            .get(SHOWN)
            .and_then(|value| value.to_str().ok())
            .and_then(|id| self.0.open_text(&context(person, phc), id).ok())
            .and_then(|plain| <[u8; 8]>::try_from(plain.as_slice()).ok())
            .map(|plain| Timestamp::from_millis(i64::from_be_bytes(plain)));
        if until.is_some_and(|until| now < until) {
            return Ok(());
        }
        Err(ApiError::refused(
            StatusCode::UNAUTHORIZED,
            "verification_record.permission_denied",
            "Verify the person first, and send what that gives in the header logto-verification-id.",
        ))
    }
}

/// Where a code goes, as the Account API names it.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[derive(Deserialize)]
pub(super) struct Recipient {
    identifier: Named,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Typed {
    identifier: Named,
    verification_id: String,
    code: Zeroizing<String>,
}

/// None of the three has a space.
fn context(person: &Person, phc: &str) -> Vec<u8> {
    let acting = &person.acting;
    format!("{} {} {phc}", acting.user.id, acting.session_id).into_bytes()
}

/// Refuses a call that shows no verification that holds, and every call of an app of others.
pub(super) async fn expect(
    companion: &Companion,
    person: &Person,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    person.check_first_party()?;
    let phc = credentials::find_password_hash(companion.store.reader(), &person.acting.user.id).await?;
    let (phc, now) = (phc.unwrap_or_default(), companion.clock.now());
    companion.verifications.check(headers, person, &phc, now)
}

pub(super) async fn by_password(
    State(companion): State<Arc<Companion>>,
    person: Person,
    Body(Password { password }): Body<Password>,
) -> ApiResult {
    person.check_first_party()?;
    let (user, now) = (&person.acting.user, companion.clock.now());
    let subject = Subject::new(user.id.clone());
    let allowed = companion.limiter.verify_password(&subject, now).await?;
    allowed.map_err(ApiError::too_many_tries)?;
    // Read before the check: should a reset come between, the verification is of a password that is gone.
    let phc = credentials::find_password_hash(companion.store.reader(), &user.id).await?;
    let found = UserWithPassword {
        user: user.clone(),
        password_hash: phc.clone(),
    };
    let checked = companion
        .backend
        .check_found_password(Some(found), &password)
        .await?;
    let Some(phc) = phc.filter(|_| checked.is_some()) else {
        companion.metrics.refused(Place::Api, Reason::WrongPassword);
        let line = line(&person, "current_password_wrong", now);
        audit::write(companion.store.writer(), companion.random.as_ref(), &line).await?;
        return Err(ApiError::wrong_password());
    };
    let until = now + LIFE;
    let id = companion
        .verifications
        .make(companion.random.as_ref(), &person, &phc, until);
    let body = json!({ "verificationRecordId": id, "expiresAt": time_text::rfc3339(until) });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Sends a code to a verified address of the person's own: another proves nothing about them.
pub(super) async fn send_code(
    State(companion): State<Arc<Companion>>,
    person: Person,
    Body(Recipient { identifier }): Body<Recipient>,
) -> ApiResult {
    person.check_first_party()?;
    let to = codes::address(&identifier.kind, &identifier.value)?;
    if !person.acting.user.is_verified(&to) {
        return Err(ApiError::invalid_input(
            "A code goes to a verified address of the account's own alone.",
        ));
    }
    let line = line(&person, "code_sent_by_app", companion.clock.now());
    let sent = codes::send(&companion, &of_session(&person), to, line).await?;
    let body = json!({
        "verificationRecordId": sent.id.as_str(),
        "expiresAt": time_text::rfc3339(codes::until(&sent, LIFE)),
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The right code gives what the right password gives, until the moment that was told when it was sent.
pub(super) async fn by_code(
    State(companion): State<Arc<Companion>>,
    person: Person,
    Body(typed): Body<Typed>,
) -> ApiResult {
    person.check_first_party()?;
    let from = codes::address(&typed.identifier.kind, &typed.identifier.value)?;
    let (user, holder) = (&person.acting.user, of_session(&person));
    let db = companion.store.reader();
    let sent = sent_codes::find(db, &holder.name, &typed.verification_id).await?;
    let sent = sent.ok_or_else(ApiError::no_code)?;
    // Read before the code is used up, as above.
    let phc = credentials::find_password_hash(db, &user.id).await?;
    // The address may have been taken from the account since.
    if !user.is_verified(&from) {
        return Err(ApiError::other_recipient(&from));
    }
    let line = line(&person, "", companion.clock.now());
    codes::check(&companion, &holder, &sent, &from, &typed.code, line).await?;
    let id = companion.verifications.make(
        companion.random.as_ref(),
        &person,
        &phc.unwrap_or_default(),
        codes::until(&sent, LIFE),
    );
    Ok(Json(json!({ "verificationRecordId": id })).into_response())
}

fn of_session(person: &Person) -> Holder<'_> {
    Holder {
        name: format!("session:{}", person.acting.session_id),
        client_id: &person.acting.app.client_id,
        purpose: CodePurpose::Confirm,
    }
}

pub(super) fn line<'a>(person: &'a Person, event: &'a str, at: Timestamp) -> Line<'a> {
    Line {
        at,
        event,
        actor: Actor::User,
        subject: Some(&person.acting.user.id),
        identifier: None,
        client_id: Some(&person.acting.app.client_id),
        client_ip: Some(&person.client_ip),
    }
}
