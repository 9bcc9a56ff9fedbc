//! What the claims must say (Back-Channel Logout sections 2.4 and 2.6).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::{Candidate, Expected, LogoutToken};
use crate::error::LogoutTokenError;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A token may be on its way for so long, whatever its `exp` says. The client need not remember it longer either.
const OLDEST: Duration = Duration::from_secs(10 * 60);
/// The year 33658, in seconds. Beyond it, adding tolerances might overflow.
const LATEST: f64 = 1e12;
/// Of an id or a subject.
const MOST_CHARACTERS: usize = 255;

/// Step 3: exactly this provider.
pub(super) fn issuer(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    match text(candidate.claims, "iss")? {
        Some(issuer) if issuer == candidate.expected.issuer => Ok(()),
        Some(_) => Err(LogoutTokenError::WrongIssuer),
        None => Err(LogoutTokenError::Malformed),
    }
}

/// Step 3: this client, and nobody else who could send the token on to us.
pub(super) fn audience(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let own = candidate.expected.client_id;
    match candidate.claims.get("aud") {
        Some(Value::String(audience)) if audience == own => Ok(()),
        Some(Value::Array(audiences)) if audiences.iter().any(|audience| audience == own) => {
            if audiences.len() == 1 {
                Ok(())
            } else {
                Err(LogoutTokenError::ForeignAudience)
            }
        }
        Some(Value::String(_) | Value::Array(_)) => Err(LogoutTokenError::WrongAudience),
        _ => Err(LogoutTokenError::Malformed),
    }
}

/// Step 3: not expired, not from the future, and not old, beyond the drift that is tolerated.
pub(super) fn times(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let Expected { now, leeway, .. } = *candidate.expected;
    let (issued_at, expires_at) = (time(candidate.claims, "iat")?, time(candidate.claims, "exp")?);
    if expires_at + leeway <= now {
        let ago = now.duration_since(expires_at).unwrap_or_default();
        return Err(LogoutTokenError::Expired { ago });
    }
    if issued_at > now + leeway {
        let ahead = issued_at.duration_since(now).unwrap_or_default();
        return Err(LogoutTokenError::IssuedInFuture { ahead });
    }
    if issued_at + OLDEST + leeway <= now {
        let ago = now.duration_since(issued_at).unwrap_or_default();
        return Err(LogoutTokenError::TooOld { ago });
    }
    Ok(())
}

/// Step 4: a person, a session, or both.
pub(super) fn names_somebody(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    match (text(candidate.claims, "sub")?, text(candidate.claims, "sid")?) {
        (None, None) => Err(LogoutTokenError::NamesNobody),
        _ => Ok(()),
    }
}

/// Step 5: the event, whose value is an object.
pub(super) fn event(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let event = candidate
        .claims
        .get("events")
        .and_then(|events| events.get(EVENT));
    match event {
        Some(Value::Object(_)) => Ok(()),
        _ => Err(LogoutTokenError::NoLogoutEvent),
    }
}

/// Step 6: whatever its value.
pub(super) fn no_nonce(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    if candidate.claims.contains_key("nonce") {
        Err(LogoutTokenError::HasNonce)
    } else {
        Ok(())
    }
}

/// The token, of claims that every check has passed.
pub(super) fn accepted(claims: &Map<String, Value>) -> Result<LogoutToken, LogoutTokenError> {
    let own = |name| -> Result<_, LogoutTokenError> { Ok(text(claims, name)?.map(str::to_owned)) };
    Ok(LogoutToken {
        subject: own("sub")?,
        session_id: own("sid")?,
        token_id: own("jti")?.ok_or(LogoutTokenError::Malformed)?,
        issued_at: time(claims, "iat")?,
    })
}

/// From when on the token is refused for its age, so that nobody need remember it.
pub(super) fn forgotten_after(claims: &Map<String, Value>, expected: &Expected<'_>) -> SystemTime {
    let at = |name| time(claims, name).unwrap_or(expected.now);
    let end = at("exp").min(at("iat") + OLDEST);
    end + expected.leeway
}

/// A text of sensible length, where the claim is there. `null` is not (RFC 8417 knows no null).
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, LogoutTokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= MOST_CHARACTERS => {
            Ok(Some(text))
        }
        Some(_) => Err(LogoutTokenError::Malformed),
    }
}

/// Seconds since 1970 (RFC 7519 section 2).
fn time(claims: &Map<String, Value>, name: &str) -> Result<SystemTime, LogoutTokenError> {
    let seconds = claims.get(name).and_then(Value::as_f64);
    let seconds = seconds.filter(|seconds| (0.0..=LATEST).contains(seconds));
    let seconds = seconds.ok_or(LogoutTokenError::Malformed)?;
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds as u64))
        .ok_or(LogoutTokenError::Malformed)
}
