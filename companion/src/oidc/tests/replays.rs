//! What the audit trail tells of codes and tokens that came twice (SR-62).

use std::time::Duration;

use super::device::{approve, begun, poll};
use super::*;

/// What the trail tells of an event: account and app. Only the first of many repeats is told.
async fn told(bench: &Bench, event: &str) -> Vec<(Option<String>, Option<String>)> {
    sqlx::query_as("SELECT subject, client_id FROM audit WHERE event = $1 AND actor = 'app'")
        .bind(event)
        .fetch_all(bench.store.reader())
        .await
        .unwrap()
}

fn line(subject: Option<&str>, app: &str) -> (Option<String>, Option<String>) {
    (subject.map(str::to_owned), Some(app.to_owned()))
}

#[tokio::test]
async fn sr62_a_code_that_comes_twice_is_told_once() {
    let bench = Bench::new().await;
    let code = bench.code(&[]).await;
    bench.exchange(&code, &[]).await;
    // Another app with the code has proved nothing.
    bench.exchange(&code, &[("client_id", "native")]).await;
    assert_eq!(told(&bench, "code_replayed").await, []);
    for _ in 0..2 {
        assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
        assert_eq!(told(&bench, "code_replayed").await, [line(Some(ALICE), "spa")]);
    }
}

#[tokio::test]
async fn sr62_a_refresh_token_that_comes_twice_is_told_once() {
    let bench = Bench::new().await;
    let tokens = bench.tokens().await;
    let old = tokens["refresh_token"].as_str().unwrap();
    let first = bench.refresh(old, &[]).await.json();
    // Its answer may have been lost.
    bench.refresh(old, &[]).await;
    assert_eq!(told(&bench, "refresh_token_reused").await, []);
    let next = first["refresh_token"].as_str().unwrap();
    bench.refresh(next, &[]).await;
    for _ in 0..2 {
        assert_eq!(bench.refresh(old, &[]).await.error(), "invalid_grant");
        let reused = told(&bench, "refresh_token_reused").await;
        assert_eq!(reused, [line(Some(ALICE), "spa")]);
    }
}

#[tokio::test]
async fn sr62_a_device_code_that_comes_twice_is_told_once() {
    let bench = Bench::new().await;
    let (code, request) = begun(&bench, "tv", "openid").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(poll(&bench, "tv", &code).await.status, StatusCode::OK);
    // Polls of one device cross.
    poll(&bench, "tv", &code).await;
    assert_eq!(told(&bench, "device_code_replayed").await, []);
    bench.clock.advance(Duration::from_secs(60));
    for _ in 0..2 {
        assert_eq!(poll(&bench, "tv", &code).await.error(), "invalid_grant");
        let replayed = told(&bench, "device_code_replayed").await;
        assert_eq!(replayed, [line(Some(ALICE), "tv")]);
    }
}
