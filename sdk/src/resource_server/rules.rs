//! What an access token must say (RFC 9068 section 4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::claims::ORGANIZATION;
use crate::checks;
use crate::error::AccessTokenError;
use crate::jws::Header;

/// The year 33658, in seconds. Beyond it, adding tolerances might overflow.
const LATEST: f64 = 1e12;
/// Of an id or a subject.
const MOST_CHARACTERS: usize = 255;

/// Whom a token must be for.
#[derive(Clone, Debug)]
pub(crate) struct Audience {
    pub(super) api: String,
    pub(super) organizations: Organizations,
}

/// Whether a token may be for an organization instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Organizations {
    NotAsAudience,
    AsAudience,
}

/// What a token must agree with. Nothing in it comes from the token.
pub(crate) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a Audience,
    /// Whether `typ` may be the plain `JWT`.
    pub(super) plain_jwt: bool,
    pub(super) now: SystemTime,
    pub(super) leeway: Duration,
}

/// A token that no check has passed yet.
pub(crate) struct Candidate<'a> {
    /// None of an opaque token.
    pub(super) header: Option<&'a Header>,
    pub(super) claims: &'a Map<String, Value>,
    pub(super) expected: &'a Expected<'a>,
}

pub(crate) type Check = fn(&Candidate<'_>) -> Result<(), AccessTokenError>;

/// What the log calls the table.
pub(crate) const TABLE: &str = "access token";

/// All that needs no key; the names are for the log.
pub(crate) const CHECKS: [(&str, Check); 6] = [
    ("header", header),
    ("issuer", issuer),
    ("audience", audience),
    ("lifetime", lifetime),
    ("required", required),
    ("unbound", unbound),
];

pub(super) fn run(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    checks::run(
        TABLE,
        CHECKS.map(|(name, check)| (name, move || check(candidate))),
    )
}

/// `typ` is `at+jwt`: a token made for something else, such as an ID token, is none.
fn header(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    let Some(header) = candidate.header else {
        return Ok(());
    };
    let plain = candidate.expected.plain_jwt;
    match header.media_type().as_deref() {
        Some("at+jwt") => {}
        Some("jwt") if plain => {}
        _ => return Err(AccessTokenError::WrongType),
    }
    Ok(header.check_extensions()?)
}

/// Exactly this provider.
fn issuer(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    match candidate.claims.get("iss").and_then(Value::as_str) {
        Some(issuer) if issuer == candidate.expected.issuer => Ok(()),
        Some(_) => Err(AccessTokenError::WrongIssuer),
        None => Err(AccessTokenError::Malformed),
    }
}

/// This API is among those that it is for, or, where that is allowed, it is for one organization alone.
fn audience(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    let Audience { api, organizations } = candidate.expected.audience;
    let audiences: Vec<&str> = match candidate.claims.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
        _ => return Err(AccessTokenError::Malformed),
    };
    let of_organization = |audience: &str| {
        audience
            .strip_prefix(ORGANIZATION)
            .is_some_and(|id| !id.is_empty())
    };
    let is_ours = match audiences.as_slice() {
        [one] if *organizations == Organizations::AsAudience => one == api || of_organization(one),
        several => several.contains(&api.as_str()),
    };
    if is_ours {
        Ok(())
    } else {
        Err(AccessTokenError::WrongAudience)
    }
}

fn lifetime(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    let Expected { now, leeway, .. } = *candidate.expected;
    times(candidate.claims, now, leeway)
}

/// Not expired, and neither from the future nor for it, beyond the drift that is tolerated.
pub(super) fn times(
    claims: &Map<String, Value>,
    now: SystemTime,
    leeway: Duration,
) -> Result<(), AccessTokenError> {
    let expires_at = time(claims, "exp")?.ok_or(AccessTokenError::Malformed)?;
    if expires_at + leeway <= now {
        let ago = now.duration_since(expires_at).unwrap_or_default();
        return Err(AccessTokenError::Expired { ago });
    }
    let issued_at = time(claims, "iat")?.ok_or(AccessTokenError::Malformed)?;
    for from in [Some(issued_at), time(claims, "nbf")?].into_iter().flatten() {
        if from > now + leeway {
            let ahead = from.duration_since(now).unwrap_or_default();
            return Err(AccessTokenError::FromTheFuture { ahead });
        }
    }
    Ok(())
}

/// RFC 9068 section 2.2: whom it is about, and which client asked for it. An ID token names no client.
fn required(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    let fits = |name| {
        let text = candidate.claims.get(name).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty() && text.chars().count() <= MOST_CHARACTERS)
    };
    if fits("sub") && fits("client_id") {
        Ok(())
    } else {
        Err(AccessTokenError::Malformed)
    }
}

/// A token that is bound to a key (RFC 7800) is not a bearer's: to take it as one would undo the binding.
fn unbound(candidate: &Candidate<'_>) -> Result<(), AccessTokenError> {
    // What the introspection endpoint says of it (RFC 7662 section 2.2). A JWT has no such claim.
    let kind = candidate.claims.get("token_type").and_then(Value::as_str);
    let is_bearers = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    match candidate.claims.get("cnf") {
        None | Some(Value::Null) if is_bearers => Ok(()),
        _ => Err(AccessTokenError::BoundToKey),
    }
}

/// Seconds since 1970 (RFC 7519 section 2).
pub(super) fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<SystemTime>, AccessTokenError> {
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds));
    let seconds = seconds.ok_or(AccessTokenError::Malformed)?;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds as u64));
    time.map(Some).ok_or(AccessTokenError::Malformed)
}
