//! Keys that change, vanish, and are asked for too often.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use keyback::{Algorithm, DiscoveryError, Error, IdTokenError, Session};
use serde_json::{Value, json};

use crate::provider::{Signer, World};

const KEYS: &str = "/oidc/jwks";

fn rotate(world: &World, key_id: &str, publish: bool) {
    let signer = Signer::new(Algorithm::Es384, key_id);
    let mut state = world.provider.lock();
    if publish {
        state.keys.push(signer.jwk());
    }
    state.signer = signer;
}

/// That many sign-ins at the same time.
async fn at_once(world: &World, number: usize) -> Vec<Result<Session, Error>> {
    let attempts: Vec<_> = (0..number)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.sign_in().await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for attempt in attempts {
        outcomes.push(attempt.await.unwrap());
    }
    outcomes
}

fn discovery_error(error: Error) -> DiscoveryError {
    match error {
        Error::Discovery(error) => error,
        other => panic!("not about discovery: {other:?}"),
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let world = World::new();
    for _ in 0..5 {
        world.sign_in().await.unwrap();
    }
    assert_eq!(world.provider.requests(KEYS), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_once() {
    let world = World::new();
    world.sign_in().await.unwrap();
    rotate(&world, "key-2", true);
    world.sign_in().await.unwrap();
    assert_eq!(world.provider.requests(KEYS), 2);
}

/// Everybody who comes in the moment of a rotation is let in, by one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_found_for_everybody_at_once() {
    let world = World::new();
    world.sign_in().await.unwrap();
    rotate(&world, "key-2", true);
    for outcome in at_once(&world, 50).await {
        outcome.unwrap();
    }
    assert_eq!(world.provider.requests(KEYS), 2);
}

/// A hundred tokens with a hundred made-up key ids cause one request in a minute.
#[tokio::test]
async fn a_storm_of_unknown_key_ids_is_one_request() {
    let world = World::new();
    world.sign_in().await.unwrap();
    let number = AtomicUsize::new(0);
    world.forge(move |signer, claims| {
        signer
            .renamed(&format!("made-up-{}", number.fetch_add(1, Ordering::Relaxed)))
            .sign(&claims)
    });
    for outcome in at_once(&world, 100).await {
        assert!(matches!(outcome, Err(Error::IdToken(IdTokenError::UnknownKey))));
    }
    assert_eq!(world.provider.requests(KEYS), 2);

    world.clock.advance(Duration::from_secs(61));
    world.forge(|signer, claims| signer.renamed("made-up-again").sign(&claims));
    assert!(matches!(
        world.refused().await,
        Error::IdToken(IdTokenError::UnknownKey)
    ));
    assert_eq!(world.provider.requests(KEYS), 3);
}

#[tokio::test]
async fn a_key_id_that_was_not_found_is_not_looked_for_again_and_again() {
    let world = World::new();
    rotate(&world, "key-2", false);
    world.refused().await;
    assert_eq!(world.provider.requests(KEYS), 2);
    world.clock.advance(Duration::from_secs(61));
    world.refused().await;
    assert_eq!(
        world.provider.requests(KEYS),
        2,
        "missed less than two minutes ago"
    );
    world.clock.advance(Duration::from_secs(60));
    let published = world.provider.lock().signer.jwk();
    world.provider.lock().keys.push(published);
    world.sign_in().await.unwrap();
    assert_eq!(world.provider.requests(KEYS), 3);
}

/// A refetch that fails leaves the good keys where they are.
#[tokio::test]
async fn a_failure_never_evicts_good_keys() {
    let world = World::new();
    world.sign_in().await.unwrap();
    world.provider.lock().keys_status = StatusCode::INTERNAL_SERVER_ERROR;
    world.forge(|signer, claims| signer.renamed("made-up").sign(&claims));
    assert!(matches!(
        world.refused().await,
        Error::IdToken(IdTokenError::UnknownKey)
    ));
    world.provider.lock().forge = None;
    world.sign_in().await.unwrap();

    // Stale, and still the provider has nothing better to offer.
    world.clock.advance(Duration::from_secs(2 * 60 * 60));
    world.sign_in().await.unwrap();
    world.clock.advance(Duration::from_secs(48 * 60 * 60));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn keys_without_an_id_are_refetched_when_a_signature_fails() {
    let world = World::new();
    let nameless = |signer: &Signer| {
        let mut jwk = signer.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    let first = world.provider.lock().signer.clone();
    world.provider.lock().keys = vec![nameless(&first)];
    world.forge(|signer, claims| signer.sign_with_header(&json!({"alg": "ES384"}), &claims));
    world.sign_in().await.unwrap();

    rotate(&world, "", false);
    let second = world.provider.lock().signer.clone();
    world.provider.lock().keys = vec![nameless(&second)];
    world.sign_in().await.unwrap();
    assert_eq!(world.provider.requests(KEYS), 2);
}

#[tokio::test]
async fn keys_of_several_curves_are_told_apart_without_ids() {
    let world = World::new();
    let curves = [Algorithm::Es256, Algorithm::Es512, Algorithm::EdDsa].map(|a| Signer::new(a, "x"));
    {
        let mut state = world.provider.lock();
        let own = state.signer.jwk();
        state.keys = curves.iter().map(Signer::jwk).chain([own]).collect();
        for key in &mut state.keys {
            let members = key.as_object_mut().unwrap();
            members.remove("kid");
            members.remove("alg");
        }
    }
    world.forge(|signer, claims| signer.sign_with_header(&json!({"alg": "ES384"}), &claims));
    world.sign_in().await.unwrap();

    let twin = Signer::new(Algorithm::Es384, "twin").jwk();
    world.provider.lock().keys.push(twin);
    world.clock.advance(Duration::from_secs(2 * 60 * 60));
    assert!(matches!(
        world.refused().await,
        Error::IdToken(IdTokenError::AmbiguousKey)
    ));
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_are_not_used() {
    for (member, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("alg", json!("ECDH-ES")),
        ("alg", json!("ES256")),
    ] {
        let world = World::new();
        let decoy = Signer::new(Algorithm::EdDsa, "other").jwk();
        {
            let mut state = world.provider.lock();
            state.keys[0][member] = value;
            state.keys.push(decoy);
        }
        assert!(
            matches!(world.refused().await, Error::IdToken(IdTokenError::UnknownKey)),
            "{member}"
        );
    }
}

#[tokio::test]
async fn broken_and_unknown_keys_do_not_hide_the_good_one() {
    let world = World::new();
    let good = world.provider.lock().keys[0].clone();
    let with = |member: &str, value: Value| {
        let mut key = good.clone();
        key[member] = value;
        key
    };
    world.provider.lock().keys = vec![
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        json!({"kty": "oct", "k": "AAAA", "kid": "key-1"}),
        json!("not a key"),
        json!({}),
        with("x", json!("AA")),
        with("x", json!("!!")),
        with("crv", json!("secp256k1")),
        with("x5c", json!(["ignored", "as it should be"])),
    ];
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn a_key_set_is_kept_as_long_as_it_says_within_reason() {
    for (header, still_kept, no_longer) in [
        (None, 3_599, 3_601),
        (Some("no-cache, max-age=0, must-revalidate"), 299, 301),
        (Some("public, max-age=7200"), 7_199, 7_201),
        (Some("max-age=99999999"), 86_399, 86_401),
        (Some("max-age=nonsense"), 3_599, 3_601),
    ] {
        let world = World::new();
        world.provider.lock().cache_control = header;
        world.sign_in().await.unwrap();
        world.clock.advance(Duration::from_secs(still_kept));
        world.sign_in().await.unwrap();
        assert_eq!(world.provider.requests(KEYS), 1, "{header:?}");
        world.clock.advance(Duration::from_secs(no_longer - still_kept));
        world.sign_in().await.unwrap();
        assert_eq!(world.provider.requests(KEYS), 2, "{header:?}");
    }
}

#[tokio::test]
async fn a_huge_key_set_is_refused() {
    let world = World::new();
    let key = world.provider.lock().keys[0].clone();
    world.provider.lock().keys = vec![key; 101];
    assert!(matches!(
        discovery_error(world.refused().await),
        DiscoveryError::TooManyKeys { limit: 100 }
    ));

    let world = World::new();
    world.provider.lock().keys_body = Some(vec![b' '; 600 * 1024].into());
    let error = discovery_error(world.refused().await);
    assert_eq!(error.code(), "discovery.too_large");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_key_set_without_a_usable_key_is_refused() {
    let world = World::new();
    world.provider.lock().keys = vec![json!({"kty": "oct", "k": "AAAA"})];
    assert!(matches!(
        discovery_error(world.refused().await),
        DiscoveryError::NoUsableKey
    ));
    let world = World::new();
    world.provider.lock().keys_body = Some("<html>".into());
    assert_eq!(
        discovery_error(world.refused().await).code(),
        "discovery.malformed"
    );
}
