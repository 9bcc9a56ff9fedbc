//! `/api/verifications/password`: proving again who one is, which a change asks for (SR-72).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use keyback_core::ids::Subject;
use keyback_core::random::Random;
use keyback_core::time::Timestamp;
use serde_json::json;

use super::body::Body;
use super::caller::Person;
use super::error::{ApiError, ApiResult};
use super::user_password::Password;
use crate::app::Companion;
use crate::secrets::Sealer;
use crate::store::audit::{self, Actor, Line};
use crate::store::users;
use crate::time_text;

/// As Logto's.
const LIFE: Duration = Duration::from_secs(600);
/// The header that shows a verification.
const SHOWN: &str = "logto-verification-id";

/// Makes and opens verifications. Each is a sealed moment, bound to account, session and the hash of the password that
/// was right: with that password, however it is replaced, all its verifications end, and none is a row.
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

/// None of the three has a space.
fn context(person: &Person, phc: &str) -> Vec<u8> {
    let acting = &person.acting;
    format!("{} {} {phc}", acting.user.id, acting.session_id).into_bytes()
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
    let phc = users::find_password_hash(companion.store.reader(), &user.id).await?;
    let checked = companion
        .backend
        .check_password(Some(user.clone()), &password)
        .await?;
    let Some(phc) = phc.filter(|_| checked.is_some()) else {
        let line = Line {
            at: now,
            event: "current_password_wrong",
            actor: Actor::User,
            subject: Some(&user.id),
            identifier: None,
            client_id: Some(&person.acting.app.client_id),
            client_ip: Some(&person.client_ip),
        };
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
