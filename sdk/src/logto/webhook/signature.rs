//! The two signatures: Logto's over the body, the companion's over the time and the body.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{constant_time, hmac};
use http::HeaderMap;

use super::{KEYBACK_SIGNATURE, LOGTO_SIGNATURE, single};
use crate::error::WebhookError;

/// A sender writes one signature for each of its keys; more than this is no sender of ours.
const MOST_SIGNATURES: usize = 8;
/// The year 9999. Times beyond it are nobody's, and adding to them might overflow.
const LATEST: u64 = 253_402_300_799;

/// A signing key.
pub(super) struct Key(hmac::Key);

impl Key {
    pub(super) fn new(key: &str) -> Result<Self, WebhookError> {
        if key.is_empty() {
            return Err(WebhookError::NoKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())))
    }

    /// Whether this key has made the signature. Takes as long for a wrong one as for the right one.
    fn has_signed(&self, parts: &[&[u8]], signature: &[u8; 32]) -> bool {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        constant_time::verify_slices_are_equal(context.sign().as_ref(), signature).is_ok()
    }
}

/// `logto-signature-sha-256`: HMAC-SHA256 of the body.
pub(super) fn check_body(keys: &[Key], headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    let header = required(headers, LOGTO_SIGNATURE)?;
    let signature = from_hex(header).ok_or(WebhookError::Malformed {
        header: LOGTO_SIGNATURE,
    })?;
    if keys.iter().any(|key| key.has_signed(&[body], &signature)) {
        Ok(())
    } else {
        Err(WebhookError::BadSignature)
    }
}

/// `keyback-signature: t=SECONDS,v1=HEX[,v1=HEX]`: HMAC-SHA256 of `SECONDS.BODY`, once for each key of the sender.
/// Gives the time, which must still be checked.
pub(super) fn check_timed(
    keys: &[Key],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<SystemTime, WebhookError> {
    let header = required(headers, KEYBACK_SIGNATURE)?;
    let Timed { time, signatures } = Timed::parse(header).ok_or(WebhookError::Malformed {
        header: KEYBACK_SIGNATURE,
    })?;
    // The time in the very characters that were signed.
    let signed: [&[u8]; 3] = [time.as_bytes(), b".", body];
    let is_signed = signatures
        .iter()
        .any(|signature| keys.iter().any(|key| key.has_signed(&signed, signature)));
    if !is_signed {
        return Err(WebhookError::BadSignature);
    }
    time.parse()
        .ok()
        .filter(|seconds| *seconds <= LATEST)
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .ok_or(WebhookError::Malformed {
            header: KEYBACK_SIGNATURE,
        })
}

/// The parts of `keyback-signature`.
struct Timed<'a> {
    time: &'a str,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Timed<'a> {
    /// `None` where a part is missing, malformed or, of the time, repeated. Parts of other names are of later versions.
    fn parse(header: &'a str) -> Option<Self> {
        let mut time = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", _) if time.is_some() => return None,
                ("t", text) => time = Some(text),
                ("v1", _) if signatures.len() == MOST_SIGNATURES => return None,
                ("v1", text) => signatures.push(from_hex(text)?),
                _ => {}
            }
        }
        let time = time.filter(|time| !time.is_empty() && time.bytes().all(|b| b.is_ascii_digit()))?;
        if signatures.is_empty() {
            return None;
        }
        Some(Self { time, signatures })
    }
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, WebhookError> {
    single(headers, name)?.ok_or(WebhookError::Missing { header: name })
}

/// The 32 bytes of exactly 64 hexadecimal digits.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}
