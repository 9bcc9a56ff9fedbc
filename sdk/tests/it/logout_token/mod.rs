//! Logout tokens: those of the provider end sessions, forged ones nothing (OpenID Connect Back-Channel Logout).

mod claims;
mod signature;

use keyback::{Error, LogoutToken, LogoutTokenError};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, ISSUER, NOW, SUBJECT, Signer, World, checked};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT_ID, "sub": SUBJECT, "sid": "the-session", "iat": NOW, "exp": NOW + 120,
        "jti": "token-1", "events": { EVENT: {} },
    })
}

fn header(signer: &Signer) -> Value {
    json!({ "alg": signer.algorithm.as_str(), "kid": signer.key_id, "typ": "logout+jwt" })
}

fn signer(world: &World) -> Signer {
    world.provider.lock().signer.clone()
}

async fn verify(world: &World, token: &str) -> Result<LogoutToken, Error> {
    let result = world.client.verify_logout_token(token).await;
    if let Ok(token) = &result {
        let printed = format!("{token:?}");
        assert!(
            !printed.contains(SUBJECT) && !printed.contains("the-session"),
            "{printed}"
        );
    }
    match result {
        Ok(token) => Ok(token),
        Err(error) => checked(Err(error)),
    }
}

/// What comes of the provider's token with changed claims.
async fn with_claims(change: impl FnOnce(&mut Value)) -> Result<LogoutToken, Error> {
    let world = World::new();
    let mut claims = claims();
    change(&mut claims);
    let signer = signer(&world);
    verify(&world, &signer.sign_with_header(&header(&signer), &claims)).await
}

async fn refusal(change: impl FnOnce(&mut Value)) -> LogoutTokenError {
    reason(with_claims(change).await)
}

async fn header_refusal(change: impl FnOnce(&mut Value)) -> LogoutTokenError {
    let world = World::new();
    let signer = signer(&world);
    let mut header = header(&signer);
    change(&mut header);
    reason(verify(&world, &signer.sign_with_header(&header, &claims())).await)
}

fn reason(result: Result<LogoutToken, Error>) -> LogoutTokenError {
    match result {
        Err(Error::LogoutToken(error)) => {
            assert!(!error.is_retryable(), "the answer to it is 400: {error}");
            error
        }
        Err(other) => panic!("not about the logout token: {other:?}"),
        Ok(token) => panic!("accepted: {token:?}"),
    }
}
