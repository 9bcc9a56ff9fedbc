//! Whether a session answers a request: the right person, authenticated when the app wants it.

use std::time::Duration;

use keyback_core::time::Timestamp;

use super::super::interaction::AuthorizationRequest;
use crate::store::sessions::Session;

/// Why a session doesn't answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is no session, or it has ended.
    NobodySignedIn,
    /// `id_token_hint`, or `sub` of the claims parameter, names another person.
    AnotherPerson,
    /// `prompt=login`: the session was there before the request.
    MustSignInAgain,
    /// `max_age`: the person authenticated too long ago.
    AuthenticatedTooLongAgo,
}

impl Unfit {
    /// What `prompt=none` is answered.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::NobodySignedIn => "Nobody is signed in here. Send the request without prompt=none.",
            Self::AnotherPerson => "Another person is signed in here than the request names.",
            Self::MustSignInAgain => "The person must sign in again.",
            Self::AuthenticatedTooLongAgo => "The person signed in longer ago than max_age allows.",
        }
    }
}

/// Checks a session against a request. For a request that waited, `requested_at` is when it came: a sign-in since
/// then is the one it asked for, whatever `max_age` says of seconds.
pub(super) fn check(
    request: &AuthorizationRequest,
    requested_at: Option<Timestamp>,
    session: &Session,
    now: Timestamp,
) -> Result<(), Unfit> {
    let is_expected = request
        .subject
        .as_ref()
        .is_none_or(|subject| *subject == session.user_id);
    if !is_expected || !request.claims.allows_subject(&session.user_id) {
        return Err(Unfit::AnotherPerson);
    }
    if requested_at.is_some_and(|requested_at| session.auth_time() >= requested_at) {
        return Ok(());
    }
    if request.prompt.asks_login() {
        return Err(Unfit::MustSignInAgain);
    }
    let too_old = |seconds: u32| now.since(session.auth_time()) > Duration::from_secs(seconds.into());
    if request.max_age.is_some_and(too_old) {
        Err(Unfit::AuthenticatedTooLongAgo)
    } else {
        Ok(())
    }
}
