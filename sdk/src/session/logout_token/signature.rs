//! The signature, by the one key of the provider that the token names.

use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm};

use super::Candidate;
use super::header::part;
use crate::client::algorithm::Jws;
use crate::client::{Algorithm, PublicKey};
use crate::error::LogoutTokenError;

pub(super) fn check(candidate: &Candidate<'_>) -> Result<(), LogoutTokenError> {
    let algorithm = Algorithm::parse(&candidate.header.alg).ok_or(LogoutTokenError::Malformed)?;
    let jws = Jws(algorithm);
    let key = choose(candidate, &jws)?;
    let (message, _) = candidate
        .raw
        .rsplit_once('.')
        .ok_or(LogoutTokenError::Malformed)?;
    let signature = part(candidate.raw, 2)?;
    key.verify_signature(&jws, message.as_bytes(), &signature)
        .map_err(|_| LogoutTokenError::BadSignature)
}

/// The key of this id, which must be for this algorithm. Without an id there must be only one that fits.
fn choose<'a>(candidate: &Candidate<'a>, jws: &Jws) -> Result<&'a PublicKey, LogoutTokenError> {
    let fits = |key: &&PublicKey| match key.signing_alg() {
        JsonWebKeyAlgorithm::Algorithm(own) => own == jws,
        JsonWebKeyAlgorithm::Unspecified => {
            openidconnect::JwsSigningAlgorithm::key_type(jws).as_ref() == Some(key.key_type())
        }
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    let of_id = |key: &&PublicKey| match &candidate.header.key_id {
        None => true,
        Some(key_id) => key.key_id().is_some_and(|own| own.as_str() == key_id),
    };
    let mut fitting = candidate.keys.keys().iter().filter(fits).filter(of_id);
    match (fitting.next(), fitting.next()) {
        (None, _) => Err(LogoutTokenError::UnknownKey),
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(LogoutTokenError::AmbiguousKey),
    }
}
