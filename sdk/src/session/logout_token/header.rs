//! The three parts of a signed JWT (RFC 7515 section 7.1), and what its header may ask for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Candidate, LONGEST};
use crate::client::Algorithm;
use crate::error::{LogoutTokenError, printable_word};

/// What the unverified header says. It chooses among our keys and algorithms, and can add none.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default, rename = "kid")]
    pub(super) key_id: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    cty: Option<String>,
}

impl Header {
    pub(super) fn parse(raw: &str) -> Result<Self, LogoutTokenError> {
        if raw.len() > LONGEST || raw.split('.').count() != 3 {
            return Err(LogoutTokenError::Malformed);
        }
        serde_json::from_slice(&part(raw, 0)?).map_err(|_| LogoutTokenError::Malformed)
    }
}

/// The unverified payload.
pub(super) fn claims(raw: &str) -> Result<Map<String, Value>, LogoutTokenError> {
    serde_json::from_slice(&part(raw, 1)?).map_err(|_| LogoutTokenError::Malformed)
}

pub(super) fn part(raw: &str, index: usize) -> Result<Vec<u8>, LogoutTokenError> {
    let part = raw.split('.').nth(index).ok_or(LogoutTokenError::Malformed)?;
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| LogoutTokenError::Malformed)
}

/// Section 2.4: `typ`, where it says more than that this is a JWT, is `logout+jwt`. A token made for something else is
/// none. Extensions that must be understood are not.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let header = candidate.header;
    let is_one = header.typ.as_deref().is_none_or(|typ| {
        let typ = typ.to_ascii_lowercase();
        matches!(
            typ.strip_prefix("application/").unwrap_or(&typ),
            "logout+jwt" | "jwt"
        )
    });
    if !is_one {
        return Err(LogoutTokenError::WrongType);
    }
    if header.crit.is_some() || header.cty.is_some() {
        return Err(LogoutTokenError::UnsupportedHeader);
    }
    Ok(())
}

/// Section 2.6 step 2: the algorithm is on the client's own list. `none` and HMAC are on nobody's.
pub(super) fn check_algorithm(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let name = candidate.header.alg.as_str();
    if name.eq_ignore_ascii_case("none") {
        return Err(LogoutTokenError::Unsigned);
    }
    match Algorithm::parse(name) {
        Some(algorithm) if candidate.expected.algorithms.contains(&algorithm) => Ok(()),
        _ => Err(LogoutTokenError::AlgorithmRefused {
            algorithm: printable_word(name),
        }),
    }
}
