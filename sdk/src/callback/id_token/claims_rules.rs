use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm};
use openidconnect::{
    ClaimsVerificationError, ClientId, EmptyAdditionalClaims, IdToken, IdTokenVerifier, IssuerUrl, Nonce,
    SignatureVerificationError,
};

use super::{Candidate, NonceRule};
use crate::client::algorithm::Jws;
use crate::client::{Algorithm, PublicKey};
use crate::error::IdTokenError;

type Token = IdToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, Jws>;

/// Steps 2, 3, 6 to 9 and 11, by openidconnect: header, issuer, audience, key, signature, expiry and nonce.
pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), IdTokenError> {
    let expected = candidate.expected;
    let token = Token::from_str(candidate.raw).map_err(|_| IdTokenError::Malformed)?;
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|_| IdTokenError::WrongIssuer)?;
    let now = DateTime::<Utc>::from(expected.now - expected.leeway);
    let verifier = IdTokenVerifier::<PublicKey>::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        issuer,
        candidate.keys.clone(),
    )
    .set_allowed_algs(expected.algorithms.iter().copied().map(Jws))
    .set_time_fn(move || now);

    let nonce =
        |nonce: Option<&Nonce>| check_nonce(nonce.map(|nonce| nonce.secret().as_str()), expected.nonce);
    match token.claims(&verifier, nonce) {
        Ok(_) => Ok(()),
        Err(error) => Err(translate(&error, candidate)),
    }
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
