//! Who signed it, by which key, as what, and how often.

use std::time::Duration;

use http::StatusCode;
use keyback::{Algorithm, LogoutTokenError};
use serde_json::json;

use super::{claims, header, header_refusal, reason, signer, verify};
use crate::provider::{Signer, World, signing_input};

#[tokio::test]
async fn bcl_2_6_every_algorithm_of_the_clients_list_is_checked_and_no_other() {
    for algorithm in Algorithm::ALL {
        let world = World::with(|builder| builder.algorithms([algorithm]));
        let signer = Signer::new(algorithm, "key-2");
        world.provider.lock().keys = vec![signer.jwk()];
        let token = signer.sign_with_header(&header(&signer), &claims());
        drop(verify(&world, &token).await.unwrap());

        let strict = World::with(|builder| {
            builder.algorithms(Algorithm::ALL.into_iter().filter(|other| *other != algorithm))
        });
        strict.provider.lock().keys = vec![signer.jwk()];
        let refused = reason(verify(&strict, &token).await);
        let algorithm = algorithm.as_str().to_owned();
        assert_eq!(refused, LogoutTokenError::AlgorithmRefused { algorithm });
    }
}

#[tokio::test]
async fn bcl_2_6_unsigned_tokens_and_those_of_a_shared_secret_are_refused() {
    let world = World::with(|builder| builder.algorithms(Algorithm::ALL));
    for name in ["none", "None", "NONE"] {
        let input = signing_input(&json!({ "alg": name, "typ": "logout+jwt" }), &claims());
        for token in [format!("{input}."), format!("{input}.AAAA")] {
            assert_eq!(
                reason(verify(&world, &token).await),
                LogoutTokenError::Unsigned,
                "{name}"
            );
        }
    }
    let refused = header_refusal(|header| header["alg"] = json!("HS256")).await;
    let algorithm = "HS256".to_owned();
    assert_eq!(refused, LogoutTokenError::AlgorithmRefused { algorithm });
}

#[tokio::test]
async fn bcl_2_6_a_stranger_can_not_sign() {
    let world = World::new();
    let own = signer(&world);
    let stranger = Signer::new(own.algorithm, "key-1");
    let forged = stranger.sign_with_header(&header(&stranger), &claims());
    assert_eq!(
        reason(verify(&world, &forged).await),
        LogoutTokenError::BadSignature
    );
    let unknown = stranger.renamed("key-9");
    let forged = unknown.sign_with_header(&header(&unknown), &claims());
    assert_eq!(
        reason(verify(&world, &forged).await),
        LogoutTokenError::UnknownKey
    );

    let good = own.sign_with_header(&header(&own), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = message.split_once('.').unwrap();
    let other = signing_input(&json!({}), &json!({ "sub": "somebody-else" }));
    let (_, other_claims) = other.split_once('.').unwrap();
    for forged in [
        format!("{head}.{other_claims}.{signature}"),
        format!("{message}."),
        format!("{message}.{}", "A".repeat(128)),
    ] {
        assert_eq!(
            reason(verify(&world, &forged).await),
            LogoutTokenError::BadSignature,
            "{forged}"
        );
    }
    drop(verify(&world, &good).await.unwrap());
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_refused() {
    let world = World::new();
    let own = signer(&world);
    let good = own.sign_with_header(&header(&own), &claims());
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 1;
        let forged = String::from_utf8(bytes).unwrap();
        assert!(verify(&world, &forged).await.is_err(), "at {at}");
    }
    drop(verify(&world, &good).await.unwrap());
}

#[tokio::test]
async fn bcl_2_6_a_key_that_is_new_is_fetched() {
    let world = World::new();
    world.sign_in().await.unwrap();
    let newer = Signer::new(Algorithm::Es384, "key-2");
    world.provider.lock().keys.push(newer.jwk());
    let token = newer.sign_with_header(&header(&newer), &claims());
    drop(verify(&world, &token).await.unwrap());
    assert_eq!(world.provider.requests("/oidc/jwks"), 2);
}

#[tokio::test]
async fn without_a_key_id_there_must_be_one_key_that_fits() {
    let world = World::new();
    let own = signer(&world);
    let header = json!({ "alg": "ES384", "typ": "logout+jwt" });
    let mut one = claims();
    drop(
        verify(&world, &own.sign_with_header(&header, &one))
            .await
            .unwrap(),
    );
    let two = World::new();
    let own = signer(&two);
    two.provider
        .lock()
        .keys
        .push(Signer::new(Algorithm::Es384, "key-2").jwk());
    one["jti"] = json!("token-2");
    let refused = reason(verify(&two, &own.sign_with_header(&header, &one)).await);
    assert_eq!(refused, LogoutTokenError::AmbiguousKey);
}

#[tokio::test]
async fn while_the_keys_can_not_be_had_the_provider_may_come_again() {
    let world = World::new();
    world.provider.lock().keys_status = StatusCode::SERVICE_UNAVAILABLE;
    let own = signer(&world);
    let token = own.sign_with_header(&header(&own), &claims());
    let error = verify(&world, &token).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    world.provider.lock().keys_status = StatusCode::OK;
    world.clock.advance(Duration::from_secs(60));
    drop(verify(&world, &token).await.unwrap());
}

#[tokio::test]
async fn bcl_2_4_the_type_of_another_token_is_refused() {
    for typ in ["JWT", "logout+jwt", "application/logout+jwt", "LOGOUT+JWT"] {
        let world = World::new();
        let own = signer(&world);
        let mut header = header(&own);
        header["typ"] = json!(typ);
        drop(
            verify(&world, &own.sign_with_header(&header, &claims()))
                .await
                .unwrap(),
        );
    }
    for typ in ["at+jwt", "id_token+jwt", "secevent+jwt", "", "logout"] {
        let refused = header_refusal(|header| header["typ"] = json!(typ)).await;
        assert_eq!(refused, LogoutTokenError::WrongType, "{typ}");
    }
    for name in ["crit", "cty"] {
        let value = if name == "crit" {
            json!(["exp"])
        } else {
            json!("JWT")
        };
        let refused = header_refusal(|header| header[name] = value).await;
        assert_eq!(refused, LogoutTokenError::UnsupportedHeader, "{name}");
    }
}

#[tokio::test]
async fn bcl_2_6_the_same_token_is_accepted_once_by_all_clones_of_a_client() {
    let world = World::new();
    let own = signer(&world);
    let token = own.sign_with_header(&header(&own), &claims());
    drop(verify(&world, &token).await.unwrap());
    let clone = world.client.clone();
    assert_eq!(
        reason(clone.verify_logout_token(&token).await),
        LogoutTokenError::Replayed
    );
    // Still so at the very end of its life, drift included; then its age refuses it.
    world.clock.advance(Duration::from_secs(179));
    assert_eq!(reason(verify(&world, &token).await), LogoutTokenError::Replayed);
    world.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        reason(verify(&world, &token).await),
        LogoutTokenError::Expired { .. }
    ));
}

/// A forged token with the id of one that is still on its way must not keep that from being accepted.
#[tokio::test]
async fn what_is_refused_uses_up_no_id() {
    let world = World::new();
    let own = signer(&world);
    let stranger = Signer::new(own.algorithm, "key-1");
    let forged = stranger.sign_with_header(&header(&stranger), &claims());
    assert_eq!(
        reason(verify(&world, &forged).await),
        LogoutTokenError::BadSignature
    );
    let token = own.sign_with_header(&header(&own), &claims());
    drop(verify(&world, &token).await.unwrap());
}

#[tokio::test]
async fn what_is_no_jwt_is_refused_without_asking_the_provider() {
    let world = World::new();
    for text in [
        "",
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "e30.e30.",
        "....",
        &"x".repeat(100_000),
        "ü.ü.ü",
    ] {
        let refused = reason(verify(&world, text).await);
        assert_eq!(refused, LogoutTokenError::Malformed, "{:?}", text.get(..20));
    }
    assert_eq!(world.provider.requests("/oidc/jwks"), 0);
}
