use std::time::Duration;

use super::token::verified;
use super::*;
use crate::oidc::keys::{self, Handover, KeysError};

async fn published(bench: &Bench) -> Vec<String> {
    let keys = bench.get("/oidc/jwks", "").await.json();
    keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// The key that signs an ID token now.
async fn signer(bench: &Bench) -> String {
    let token = bench.tokens().await["id_token"].as_str().unwrap().to_owned();
    verified(bench, &token).await.0["kid"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn rotate(bench: &Bench, handover: Handover) -> String {
    let tokens = TokensConfig::default();
    let made = keys::rotate(
        &bench.store,
        &bench.root_keys,
        &tokens,
        handover,
        &SystemRandom,
        bench.now(),
    )
    .await;
    made.unwrap()
        .into_iter()
        .find(|key| key.algorithm == "ES384")
        .unwrap()
        .kid
}

#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let mut bench = Bench::new().await;
    let before = (published(&bench).await, signer(&bench).await);
    bench.restart().await;
    assert_eq!((published(&bench).await, signer(&bench).await), before);
}

/// `keyback keys rotate` before the first `keyback serve`: there is nobody to take over from.
#[tokio::test]
async fn a_rotation_before_the_first_start_makes_keys_that_sign_at_once() {
    let folder = TempDir::new().unwrap();
    let root_keys = RootKeys::new(vec![RootKey::generate(&SystemRandom)]).unwrap();
    let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
    let now = ManualClock::default().now();
    let tokens = TokensConfig::default();
    let made = keys::rotate(
        &store,
        &root_keys,
        &tokens,
        Handover::Announced,
        &SystemRandom,
        now,
    )
    .await
    .unwrap();
    assert!(
        made.len() == 2 && made.iter().all(|key| key.signs_from == now),
        "{made:?}"
    );
}

/// SR-62: no rotation without its line, and no line without its rotation.
#[tokio::test]
async fn sr62_keys_are_rotated_and_told_to_be_together() {
    let bench = Bench::new().await;
    let told = async || -> Vec<String> {
        sqlx::query_scalar("SELECT detail FROM audit WHERE event = 'keys_rotated' AND actor = 'operator'")
            .fetch_all(bench.store.reader())
            .await
            .unwrap()
    };
    rotate(&bench, Handover::Announced).await;
    assert_eq!(told().await, [r#"{"at_once":false}"#]);
    let before = keys::list(&bench.store).await.unwrap();
    sqlx::raw_sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
        .execute(bench.store.writer())
        .await
        .unwrap();
    let (tokens, now) = (TokensConfig::default(), bench.now());
    let random = &SystemRandom;
    let at_once = Handover::AtOnce;
    keys::rotate(&bench.store, &bench.root_keys, &tokens, at_once, random, now)
        .await
        .unwrap_err();
    assert_eq!(keys::list(&bench.store).await.unwrap(), before);
    assert_eq!(told().await.len(), 1);
}

#[tokio::test]
async fn two_starts_at_once_use_the_same_keys() {
    let folder = TempDir::new().unwrap();
    let root_keys = RootKeys::new(vec![RootKey::generate(&SystemRandom)]).unwrap();
    let clock = Arc::new(ManualClock::default());
    let path = folder.path().join("keyback.db");
    let (one, two) = (
        Store::open(&path).await.unwrap(),
        Store::open(&path).await.unwrap(),
    );
    let (first, second) = tokio::join!(
        start(&one, &root_keys, &clock, "http://localhost:3001"),
        start(&two, &root_keys, &clock, "http://localhost:3001"),
    );
    first.unwrap();
    second.unwrap();
    let kept = keys::list(&one).await.unwrap();
    let mut algorithms: Vec<_> = kept.iter().map(|key| key.algorithm.as_str()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES384", "RS256"]);
}

#[tokio::test]
async fn private_keys_rest_sealed() {
    let bench = Bench::new().await;
    let other = RootKeys::new(vec![RootKey::generate(&SystemRandom)]).unwrap();
    let refused = start(&bench.store, &other, &bench.clock, "http://localhost:3001")
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ProviderError::Keys(KeysError::Sealed { .. })),
        "{refused}"
    );
    assert!(refused.to_string().contains("root_key_file"));
}

#[tokio::test]
async fn a_rotation_interrupts_nobody() {
    let bench = Bench::new().await;
    let old = signer(&bench).await;
    let new = rotate(&bench, Handover::Announced).await;

    bench.clock.advance(Duration::from_secs(61));
    let both = published(&bench).await;
    assert!(
        both.contains(&old) && both.contains(&new),
        "published at the next look"
    );
    assert_eq!(
        signer(&bench).await,
        old,
        "and not signing while somebody may hold the old key set"
    );

    bench.clock.advance(Duration::from_secs(12 * 60));
    assert_eq!(signer(&bench).await, new);
    let last_of_the_old = bench.clock.now();
    bench.clock.advance(Duration::from_secs(50 * 60));
    assert!(
        published(&bench).await.contains(&old),
        "until its last token has expired"
    );
    assert!(last_of_the_old < bench.now());

    bench.clock.advance(Duration::from_secs(30 * 60));
    let left = published(&bench).await;
    assert!(left.contains(&new) && !left.contains(&old));
}

#[tokio::test]
async fn an_old_key_still_reads_hints_and_its_private_half_is_erased() {
    let bench = Bench::new().await;
    let hint = bench.tokens().await["id_token"].as_str().unwrap().to_owned();
    rotate(&bench, Handover::Announced).await;
    bench.clock.advance(Duration::from_secs(2 * 3600));
    bench.provider.sweep(bench.now()).await.unwrap();
    let rows = provider_keys::list(bench.store.reader()).await.unwrap();
    assert!(
        rows.iter()
            .all(|row| row.sealed.is_some() == row.leaves_at().is_none())
    );
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    assert!(bench.authorize(&silent, &cookie).await.sent("code").is_some());
    bench.clock.advance(Duration::from_secs(91 * 86_400));
    bench.provider.sweep(bench.now()).await.unwrap();
    assert_eq!(
        keys::list(&bench.store).await.unwrap().len(),
        2,
        "forgotten at last"
    );
}

#[tokio::test]
async fn a_leaked_key_stops_signing_at_once() {
    let bench = Bench::new().await;
    let old = published(&bench).await;
    let hint = bench.tokens().await["id_token"].as_str().unwrap().to_owned();
    let new = rotate(&bench, Handover::AtOnce).await;
    // A running provider looks once a second.
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(signer(&bench).await, new);
    let now = published(&bench).await;
    assert!(
        old.iter().all(|kid| !now.contains(kid)),
        "whoever has it could sign anything while it is published"
    );
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    assert!(
        bench.authorize(&silent, &cookie).await.sent("code").is_none(),
        "nor does it vouch for a hint"
    );
}

/// The pair that a plain rotation announced may have leaked with the one that signs: at once leaves neither.
#[tokio::test]
async fn at_once_leaves_no_key_that_was_there_before() {
    let bench = Bench::new().await;
    rotate(&bench, Handover::Announced).await;
    bench.clock.advance(Duration::from_secs(1));
    let before: Vec<_> = keys::list(&bench.store).await.unwrap();
    assert_eq!((before.len(), published(&bench).await.len()), (4, 4));

    let new = rotate(&bench, Handover::AtOnce).await;
    bench.clock.advance(Duration::from_secs(1));
    let after = keys::list(&bench.store).await.unwrap();
    let kept = after
        .iter()
        .filter(|key| before.iter().any(|old| old.kid == key.kid));
    assert_eq!(kept.count(), 0, "{after:?}");
    assert_eq!((after.len(), published(&bench).await.len()), (2, 2));
    assert_eq!(signer(&bench).await, new);
    // Nor does the announced one come to sign when its time has come.
    bench.clock.advance(Duration::from_secs(13 * 60));
    assert_eq!(signer(&bench).await, new);
}

/// Of requests that come together after a quiet hour one reads the keys: the others wait for it, rather than be given the key
/// set of an hour ago to keep for five minutes.
#[tokio::test]
async fn a_leaked_key_is_given_to_nobody_while_another_request_reads() {
    let bench = Bench::new().await;
    bench.clock.advance(Duration::from_secs(3_600));
    rotate(&bench, Handover::AtOnce).await;
    let ask = || published(&bench);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    assert_eq!((&one, &one), (&two, &three));
    let alive: Vec<_> = keys::list(&bench.store).await.unwrap();
    assert!(
        one.iter().all(|kid| alive.iter().any(|key| key.kid == *kid)),
        "{one:?}"
    );
}

/// A clock that is set back, by an operator or by the network's time, doesn't keep a leaked key signing.
#[tokio::test]
async fn a_clock_that_was_set_back_hides_no_rotation() {
    let bench = Bench::new().await;
    signer(&bench).await;
    bench.clock.set(bench.now() - Duration::from_secs(600));
    let new = rotate(&bench, Handover::AtOnce).await;
    assert_eq!(signer(&bench).await, new);
}

/// What hasn't changed is not written anew: the answer is the same to the byte, and so is the object.
#[tokio::test]
async fn a_look_that_finds_nothing_new_keeps_the_ring() {
    let bench = Bench::new().await;
    let before = bench.provider.0.keys.ring(bench.now()).await;
    bench.clock.advance(Duration::from_secs(5));
    let same = bench.provider.0.keys.ring(bench.now()).await;
    assert!(Arc::ptr_eq(&before, &same));
    rotate(&bench, Handover::Announced).await;
    bench.clock.advance(Duration::from_secs(5));
    let other = bench.provider.0.keys.ring(bench.now()).await;
    assert!(!Arc::ptr_eq(&before, &other));
}
