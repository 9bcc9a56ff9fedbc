//! What the claims say.

use std::time::Duration;

use aws_lc_rs::digest;
use keyback::{Algorithm, Fault, IdTokenError, Remedy};
use serde_json::{Value, json};

use super::{id_token_error, refusal, signing_by};
use crate::provider::{ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, World, checked, half_hash};

#[tokio::test]
async fn a_missing_claim_is_refused() {
    for name in ["iss", "sub", "exp", "iat"] {
        let error = refusal(move |claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(error.await, IdTokenError::Malformed, "{name}");
    }
    let error = refusal(|claims| {
        claims.as_object_mut().unwrap().remove("aud");
    });
    assert_eq!(error.await, IdTokenError::WrongAudience);
}

#[tokio::test]
async fn another_issuer_is_refused() {
    for issuer in [
        "https://evil.example/oidc",
        "https://id.example/oidc/",
        "https://id.example",
        "http://id.example/oidc",
    ] {
        let error = refusal(move |claims| claims["iss"] = json!(issuer));
        assert_eq!(error.await, IdTokenError::WrongIssuer, "{issuer}");
    }
}

#[tokio::test]
async fn another_audience_is_refused() {
    let error = refusal(|claims| claims["aud"] = json!("other-app"));
    assert_eq!(error.await, IdTokenError::WrongAudience);
    let error = refusal(|claims| claims["aud"] = json!([]));
    assert_eq!(error.await, IdTokenError::WrongAudience);
    let error = refusal(|claims| claims["aud"] = json!([CLIENT_ID, "other-app"]));
    assert_eq!(error.await, IdTokenError::ForeignAudience);
}

#[tokio::test]
async fn a_list_of_this_client_alone_is_accepted() {
    let world = World::new();
    world.claims(|claims| claims["aud"] = json!([CLIENT_ID]));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn another_authorized_party_is_refused() {
    for party in [json!("other-app"), json!(""), json!(7), json!([CLIENT_ID])] {
        let shown = party.to_string();
        let error = refusal(move |claims| claims["azp"] = party.clone()).await;
        // openidconnect refuses an `azp` that is no text.
        let expected = if shown.starts_with('"') {
            IdTokenError::WrongAuthorizedParty
        } else {
            IdTokenError::Malformed
        };
        assert_eq!(error, expected, "{shown}");
    }
    let world = World::new();
    world.claims(|claims| claims["azp"] = json!(CLIENT_ID));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn an_expired_token_is_refused_and_the_drift_named() {
    let error = refusal(|claims| claims["exp"] = json!(NOW - 61)).await;
    assert_eq!(
        error,
        IdTokenError::Expired {
            ago: Duration::from_secs(61),
            drift: None,
        }
    );
    assert!(error.to_string().contains("61 s"));
    assert_eq!(error.remedy(), Remedy::CheckClock);

    let world = World::new();
    world.claims(|claims| claims["exp"] = json!(NOW - 59));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn a_token_from_the_future_is_refused_and_the_drift_named() {
    let error = refusal(|claims| claims["iat"] = json!(NOW + 61)).await;
    assert_eq!(
        error,
        IdTokenError::IssuedInFuture {
            ahead: Duration::from_secs(61),
            drift: None,
        }
    );
    assert!(error.to_string().contains("61 s"));
    assert_eq!(
        (error.fault(), error.remedy()),
        (Fault::Application, Remedy::CheckClock)
    );

    let error = refusal(|claims| claims["nbf"] = json!(NOW + 90)).await;
    assert_eq!(
        error,
        IdTokenError::NotYetValid {
            ahead: Duration::from_secs(90),
            drift: None,
        }
    );

    let world = World::new();
    world.claims(|claims| {
        claims["iat"] = json!(NOW + 60);
        claims["nbf"] = json!(NOW + 60);
    });
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn another_nonce_is_refused() {
    let error = refusal(|claims| claims["nonce"] = json!("another"));
    assert_eq!(error.await, IdTokenError::NonceMismatch);
    let error = refusal(|claims| {
        claims.as_object_mut().unwrap().remove("nonce");
    });
    assert_eq!(error.await, IdTokenError::MissingNonce);
    assert_eq!(
        refusal(|claims| claims["nonce"] = Value::Null).await,
        IdTokenError::MissingNonce
    );
}

/// A token that the provider issued to another sign-in, even of the same person, does not fit this one.
#[tokio::test]
async fn a_token_of_another_sign_in_is_refused() {
    let world = World::new();
    let earlier = world.sign_in().await.unwrap().id_token().to_owned();
    world.forge(move |_, _| earlier.clone());
    assert_eq!(id_token_error(world.refused().await), IdTokenError::NonceMismatch);
}

#[tokio::test]
async fn at_hash_is_checked_where_it_is() {
    let error = refusal(|claims| claims["at_hash"] = json!(half_hash(&digest::SHA384, "another token")));
    assert_eq!(error.await, IdTokenError::AccessTokenMismatch);
    // The right token with the hash of another algorithm.
    let error = refusal(|claims| claims["at_hash"] = json!(half_hash(&digest::SHA256, ACCESS_TOKEN)));
    assert_eq!(error.await, IdTokenError::AccessTokenMismatch);
    assert_eq!(
        refusal(|claims| claims["at_hash"] = json!("")).await,
        IdTokenError::AccessTokenMismatch
    );

    for (algorithm, hash) in [
        (Algorithm::Es384, &digest::SHA384),
        (Algorithm::Rs256, &digest::SHA256),
        (Algorithm::Es512, &digest::SHA512),
        (Algorithm::EdDsa, &digest::SHA512),
    ] {
        let world = signing_by(algorithm, &Algorithm::ALL);
        world.claims(|claims| claims["at_hash"] = json!(half_hash(hash, ACCESS_TOKEN)));
        world.sign_in().await.unwrap();
    }
}

#[tokio::test]
async fn max_age_demands_a_recent_auth_time() {
    let world = World::new();
    let attempt = async || {
        let begun = world
            .client
            .sign_in()
            .max_age(Duration::from_secs(300))
            .start()
            .await
            .unwrap();
        assert!(begun.url.as_str().contains("max_age=300"));
        let callback = world.provider.answer(&begun.url);
        checked(world.client.finish(begun.pending, callback).await)
    };
    assert_eq!(
        id_token_error(attempt().await.unwrap_err()),
        IdTokenError::MissingAuthTime
    );

    world.claims(|claims| claims["auth_time"] = json!(NOW - 361));
    let by = Duration::from_secs(1);
    assert_eq!(
        id_token_error(attempt().await.unwrap_err()),
        IdTokenError::AuthTooOld { by }
    );

    world.claims(|claims| claims["auth_time"] = json!(NOW - 300));
    attempt().await.unwrap();
}

#[tokio::test]
async fn a_subject_is_neither_empty_nor_endless() {
    assert_eq!(
        refusal(|claims| claims["sub"] = json!("")).await,
        IdTokenError::BadSubject
    );
    assert_eq!(
        refusal(|claims| claims["sub"] = json!("a".repeat(256))).await,
        IdTokenError::BadSubject
    );
    assert_eq!(
        refusal(|claims| claims["sub"] = json!(7)).await,
        IdTokenError::Malformed
    );
}

#[tokio::test]
async fn logtos_claims_are_read() {
    let session = World::new().sign_in().await.unwrap();
    let claims = session.claims();
    assert_eq!(claims.email(), Some("ada@example.com"));
    assert!(claims.email_verified());
    assert_eq!(claims.picture(), None);
    let updated = claims
        .updated_at()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(updated.as_secs(), NOW);
    assert_eq!(claims.get("iss"), Some(&json!(ISSUER)));
}
