//! The three parts of a signed JWT (RFC 7515 section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::error::IdTokenError;
use crate::session::Claims;

const LONGEST: usize = 64 * 1024;

/// What the unverified header says. It chooses among our keys and algorithms, and can add none.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default, rename = "kid")]
    pub(super) key_id: Option<String>,
}

impl Header {
    pub(super) fn parse(raw: &str) -> Result<Self, IdTokenError> {
        if raw.len() > LONGEST {
            return Err(IdTokenError::Malformed);
        }
        serde_json::from_slice(&part(raw, 0)?).map_err(|_| IdTokenError::Malformed)
    }
}

/// The unverified payload.
pub(super) fn claims(raw: &str) -> Result<Claims, IdTokenError> {
    let members = serde_json::from_slice(&part(raw, 1)?).map_err(|_| IdTokenError::Malformed)?;
    Claims::new(members).ok_or(IdTokenError::Malformed)
}

fn part(raw: &str, index: usize) -> Result<Vec<u8>, IdTokenError> {
    let part = raw.split('.').nth(index).ok_or(IdTokenError::Malformed)?;
    URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed)
}
