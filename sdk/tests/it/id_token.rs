//! Forged ID tokens, each refused by its own check. SR-76.

use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback::{Algorithm, Error, Fault, IdTokenError, Remedy};
use serde_json::{Value, json};

use crate::provider::{
    ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, SUBJECT, Signer, World, checked, half_hash, signing_input,
};

/// The refusal of a sign-in whose claims were changed.
async fn refusal(tamper: impl Fn(&mut Value) + Send + 'static) -> IdTokenError {
    let world = World::new();
    world.claims(tamper);
    id_token_error(world.refused().await)
}

/// The refusal of a sign-in whose token was made by hand.
async fn forgery(forge: impl Fn(&Signer, Value) -> String + Send + 'static) -> IdTokenError {
    let world = World::with(|builder| builder.algorithms(Algorithm::ALL));
    world.forge(forge);
    id_token_error(world.refused().await)
}

fn id_token_error(error: Error) -> IdTokenError {
    match error {
        Error::IdToken(error) => error,
        other => panic!("not about the ID token: {other:?}"),
    }
}

#[tokio::test]
async fn every_algorithm_is_verified() {
    for algorithm in Algorithm::ALL {
        let world = World::with(|builder| builder.algorithms([algorithm]));
        let signer = Signer::new(algorithm, "key-2");
        {
            let mut state = world.provider.lock();
            state.keys = vec![signer.jwk()];
            state.signer = signer;
        }
        let session = world
            .sign_in()
            .await
            .unwrap_or_else(|error| panic!("{algorithm:?}: {error:?}"));
        assert_eq!(session.claims().subject(), SUBJECT);

        world.forge(|signer, claims| flip_signature(&signer.sign(&claims)));
        assert_eq!(
            id_token_error(world.refused().await),
            IdTokenError::BadSignature,
            "{algorithm:?}"
        );
    }
}

/// RFC 9864 gives Ed25519 a name of its own.
#[tokio::test]
async fn ed25519_is_known_by_both_names() {
    let world = World::new();
    let signer = Signer::new(Algorithm::EdDsa, "key-2");
    world.provider.lock().keys = vec![signer.jwk()];
    world
        .forge(move |_, claims| signer.sign_with_header(&json!({"alg": "Ed25519", "kid": "key-2"}), &claims));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn the_default_list_is_the_strong_and_usual_algorithms() {
    for algorithm in Algorithm::ALL {
        let world = World::new();
        let signer = Signer::new(algorithm, "key-2");
        {
            let mut state = world.provider.lock();
            state.keys = vec![signer.jwk()];
            state.signer = signer;
        }
        let outcome = world.sign_in().await;
        if Algorithm::DEFAULT.contains(&algorithm) {
            outcome.unwrap();
        } else {
            let algorithm = algorithm.as_str().to_owned();
            assert_eq!(
                id_token_error(outcome.unwrap_err()),
                IdTokenError::AlgorithmRefused { algorithm }
            );
        }
    }
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    for name in ["none", "None", "NONE"] {
        let error = forgery(move |_, claims| {
            format!(
                "{}.",
                signing_input(&json!({"alg": name, "kid": "key-1"}), &claims)
            )
        });
        assert_eq!(error.await, IdTokenError::Unsigned);
    }
}

/// The public key, in the forms that libraries have mistaken for an HMAC secret.
#[tokio::test]
async fn hmac_with_the_public_key_is_refused() {
    for algorithm in ["HS256", "HS384", "HS512"] {
        let error = forgery(move |signer, claims| {
            let input = signing_input(&json!({"alg": algorithm, "kid": "key-1"}), &claims);
            let key = hmac::Key::new(hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
            let tag = hmac::sign(&key, input.as_bytes());
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
        });
        assert_eq!(
            error.await,
            IdTokenError::AlgorithmRefused {
                algorithm: algorithm.to_owned()
            }
        );
    }
}

#[tokio::test]
async fn hmac_with_the_client_secret_is_refused() {
    let world = World::with(|builder| builder.client_secret("a secret that both sides know"));
    world.forge(|_, claims| {
        let input = signing_input(&json!({"alg": "HS256"}), &claims);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret that both sides know");
        format!(
            "{input}.{}",
            URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes()).as_ref())
        )
    });
    let algorithm = "HS256".to_owned();
    assert_eq!(
        id_token_error(world.refused().await),
        IdTokenError::AlgorithmRefused { algorithm }
    );
}

#[tokio::test]
async fn an_algorithm_of_another_kind_of_key_finds_no_key() {
    let error =
        forgery(|signer, claims| signer.sign_with_header(&json!({"alg": "ES256", "kid": "key-1"}), &claims));
    assert_eq!(error.await, IdTokenError::UnknownKey);
}

#[tokio::test]
async fn a_changed_signature_is_refused() {
    let error = forgery(|signer, claims| flip_signature(&signer.sign(&claims)));
    assert_eq!(error.await, IdTokenError::BadSignature);
}

#[tokio::test]
async fn an_empty_signature_is_refused() {
    let error = forgery(|signer, claims| {
        let token = signer.sign(&claims);
        format!("{}.", token.rsplit_once('.').unwrap().0)
    });
    assert_eq!(error.await, IdTokenError::BadSignature);
}

#[tokio::test]
async fn a_changed_payload_is_refused() {
    let error = forgery(|signer, claims| {
        let token = signer.sign(&claims);
        let mut other = claims;
        other["sub"] = json!("somebody-else");
        let signature = token.rsplit_once('.').unwrap().1;
        let header = json!({"alg": "ES384", "kid": "key-1"});
        format!("{}.{signature}", signing_input(&header, &other))
    });
    assert_eq!(error.await, IdTokenError::BadSignature);
}

#[tokio::test]
async fn the_key_of_somebody_else_under_our_key_id_is_refused() {
    let error = forgery(|_, claims| Signer::new(Algorithm::Es384, "key-1").sign(&claims));
    assert_eq!(error.await, IdTokenError::BadSignature);
}

#[tokio::test]
async fn an_unpublished_key_is_refused() {
    let error = forgery(|_, claims| Signer::new(Algorithm::Es384, "key-9").sign(&claims));
    assert_eq!(error.await, IdTokenError::UnknownKey);
}

/// A key in the header is the forger's own.
#[tokio::test]
async fn keys_and_addresses_in_the_header_are_ignored() {
    let error = forgery(|_, claims| {
        let own = Signer::new(Algorithm::Es384, "key-1");
        let header = json!({
            "alg": "ES384", "kid": "key-1", "jwk": own.jwk(),
            "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u",
        });
        own.sign_with_header(&header, &claims)
    });
    assert_eq!(error.await, IdTokenError::BadSignature);
}

#[tokio::test]
async fn a_header_that_asks_for_more_is_refused() {
    for member in [
        json!({"crit": ["exp"]}),
        json!({"typ": "at+jwt"}),
        json!({"typ": "logout+jwt"}),
        json!({"cty": "JWT"}),
    ] {
        let shown = member.to_string();
        let error = forgery(move |signer, claims| {
            let mut header = json!({"alg": "ES384", "kid": "key-1"});
            header
                .as_object_mut()
                .unwrap()
                .extend(member.as_object().unwrap().clone());
            signer.sign_with_header(&header, &claims)
        });
        assert_eq!(error.await, IdTokenError::UnsupportedHeader, "{shown}");
    }
}

#[tokio::test]
async fn a_token_that_is_no_jwt_is_refused() {
    for text in [
        "",
        "a",
        "a.b",
        "a.b.c",
        "e30.e30.e30",
        "..",
        "e30.bnVsbA.",
        "\u{fffd}.\u{0}.x",
    ] {
        assert_eq!(
            forgery(move |_, _| text.to_owned()).await,
            IdTokenError::Malformed,
            "{text:?}"
        );
    }
    let long = "a".repeat(100_000);
    assert_eq!(forgery(move |_, _| long.clone()).await, IdTokenError::Malformed);
}

#[tokio::test]
async fn a_claim_that_appears_twice_is_refused() {
    let error = forgery(|signer, claims| {
        let twice = claims.to_string().replacen('{', "{\"sub\":\"somebody-else\",", 1);
        let header = json!({"alg": "ES384", "kid": "key-1"}).to_string();
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(twice)
        );
        signer.sign_input(&input)
    });
    assert_eq!(error.await, IdTokenError::Malformed);
}

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
            ago: Duration::from_secs(61)
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
            ahead: Duration::from_secs(61)
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
            ahead: Duration::from_secs(90)
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
        let world = World::with(|builder| builder.algorithms(Algorithm::ALL));
        let signer = Signer::new(algorithm, "key-2");
        {
            let mut state = world.provider.lock();
            state.keys = vec![signer.jwk()];
            state.signer = signer;
        }
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

fn flip_signature(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))
}
