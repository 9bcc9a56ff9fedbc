//! Header, key and signature.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback::{Algorithm, IdTokenError};
use serde_json::json;

use super::{forgery, id_token_error, signing_by};
use crate::provider::{SUBJECT, Signer, World, signing_input};

#[tokio::test]
async fn every_algorithm_is_verified() {
    for algorithm in Algorithm::ALL {
        let world = signing_by(algorithm, &[algorithm]);
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
        let world = signing_by(algorithm, &Algorithm::DEFAULT);
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

fn flip_signature(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))
}
