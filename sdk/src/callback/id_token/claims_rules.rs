//! Steps 2, 3, 6, 8, 9 and 11, by openidconnect: one rule each, so that the table names what failed.
//!
//! openidconnect checks them all at once or, as here, those that are not switched off. The table runs every one.

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm};
use openidconnect::{
    ClaimsVerificationError, ClientId, EmptyAdditionalClaims, IdToken, IdTokenVerifier, IssuerUrl,
    JsonWebTokenType, Nonce, SignatureVerificationError,
};

use super::{Candidate, NonceRule};
use crate::client::algorithm::Jws;
use crate::client::{Algorithm, KeySet, PublicKey};
use crate::error::IdTokenError;

pub(super) type Token =
    IdToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, Jws>;
type Verifier = IdTokenVerifier<'static, PublicKey>;

/// The header asks for nothing that an ID token can't have: another `typ`, `cty`, `crit` (RFC 7515 section 4.1).
pub(super) fn header(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let types = ["JWT", "JOSE"].map(|name| JsonWebTokenType::new(name.to_owned()).normalize());
    only(candidate, None, accept, |verifier| {
        verifier.set_allowed_jose_types(types.into_iter().flatten())
    })
}

/// Step 2: exactly this provider.
pub(super) fn issuer(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    only(candidate, None, accept, |verifier| {
        verifier.require_issuer_match(true)
    })
}

/// Step 3: this client, and nobody else who could send the token on to us.
pub(super) fn audience(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    only(candidate, None, accept, |verifier| {
        verifier.require_audience_match(true)
    })
}

/// Steps 6 and 8: by the one key of the provider that fits. Which algorithms are taken at all is a check of its own.
pub(super) fn signature(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    only(
        candidate,
        Some(candidate.keys.clone()),
        accept,
        Verifier::enable_signature_check,
    )
}

/// Step 9: not expired, beyond the drift that is tolerated.
pub(super) fn expiry(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let now = DateTime::<Utc>::from(candidate.expected.now - candidate.expected.leeway);
    only(candidate, None, accept, |verifier| {
        verifier.set_time_fn(move || now)
    })
}

/// Step 11: the answer to this request.
pub(super) fn nonce(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let rule = candidate.expected.nonce;
    let check = |nonce: Option<&Nonce>| check_nonce(nonce.map(|nonce| nonce.secret().as_str()), rule);
    only(candidate, None, check, |verifier| verifier)
}

/// Applies a verifier with every rule switched off but those that `on` switches on.
fn only(
    candidate: &Candidate<'_>,
    keys: Option<KeySet>,
    nonce: impl FnOnce(Option<&Nonce>) -> Result<(), String>,
    on: impl FnOnce(Verifier) -> Verifier,
) -> Result<(), IdTokenError> {
    let expected = candidate.expected;
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|_| IdTokenError::WrongIssuer)?;
    let client_id = ClientId::new(expected.client_id.to_owned());
    let keys = keys.unwrap_or_else(|| KeySet::new(Vec::new()));
    let off = Verifier::new_public_client(client_id, issuer, keys)
        .allow_all_jose_types()
        .allow_any_alg()
        .require_issuer_match(false)
        .require_audience_match(false)
        .insecure_disable_signature_check()
        .set_time_fn(|| DateTime::<Utc>::MIN_UTC);
    match candidate.token()?.claims(&on(off), nonce) {
        Ok(_) => Ok(()),
        Err(error) => Err(translate(&error, candidate)),
    }
}

fn accept(_: Option<&Nonce>) -> Result<(), String> {
    Ok(())
}

const MISSING: &str = "missing";

fn check_nonce(nonce: Option<&str>, rule: NonceRule<'_>) -> Result<(), String> {
    let fits = match (nonce, rule) {
        (None, NonceRule::Required(_)) => return Err(MISSING.to_owned()),
        (Some(nonce), NonceRule::Required(expected)) => expected.matches(nonce),
        (None, NonceRule::IfPresent(_)) => true,
        (Some(nonce), NonceRule::IfPresent(earlier)) => earlier == Some(nonce),
    };
    if fits { Ok(()) } else { Err("mismatch".to_owned()) }
}

/// Names the failed rule. openidconnect's own texts hold claims, and are dropped.
fn translate(error: &ClaimsVerificationError, candidate: &Candidate<'_>) -> IdTokenError {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => IdTokenError::WrongIssuer,
        ClaimsVerificationError::InvalidAudience(_) => {
            let audiences = candidate.claims.audiences();
            if audiences.contains(&candidate.expected.client_id) {
                IdTokenError::ForeignAudience
            } else {
                IdTokenError::WrongAudience
            }
        }
        ClaimsVerificationError::Expired(_) => match candidate.claims.expires_at() {
            Some(at) => IdTokenError::Expired {
                ago: candidate.expected.now.duration_since(at).unwrap_or_default(),
                drift: None,
            },
            None => IdTokenError::Malformed,
        },
        ClaimsVerificationError::InvalidNonce(reason) if reason == MISSING => IdTokenError::MissingNonce,
        ClaimsVerificationError::InvalidNonce(_) => IdTokenError::NonceMismatch,
        ClaimsVerificationError::Unsupported(_) => IdTokenError::UnsupportedHeader,
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey => IdTokenError::UnknownKey,
            SignatureVerificationError::AmbiguousKeyId(_) => IdTokenError::AmbiguousKey,
            SignatureVerificationError::NoSignature => IdTokenError::Unsigned,
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_) => {
                IdTokenError::AlgorithmRefused {
                    algorithm: Algorithm::parse(&candidate.header.alg)
                        .map_or_else(String::new, |algorithm| algorithm.as_str().to_owned()),
                }
            }
            _ => IdTokenError::BadSignature,
        },
        _ => IdTokenError::Malformed,
    }
}
