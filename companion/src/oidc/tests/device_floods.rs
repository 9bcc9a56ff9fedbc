//! Devices that ask too often, too many of them (RFC 8628 3.5, 5.2), and answers that come at once.

use std::time::Duration;

use super::device::{approve, audited, begin, begun, poll};
use super::*;
use crate::http::client_ip::ClientAddress;
use crate::oidc::device::Answered;
use crate::store::device_codes::{self, Begun, MOST_WAITING_PER_APP, NewDeviceCode};

#[tokio::test]
async fn rfc8628_3_5_a_device_that_asks_too_often_must_slow_down_by_five_seconds_each_time() {
    let bench = Bench::new().await;
    let (code, _) = begun(&bench, "tv", "openid").await;
    for (wait, error) in [
        (0, "authorization_pending"),
        (5, "authorization_pending"),
        (4, "slow_down"),
        (9, "slow_down"),
        (15, "authorization_pending"),
        (14, "slow_down"),
        (20, "authorization_pending"),
    ] {
        bench.clock.advance(Duration::from_secs(wait));
        assert_eq!(poll(&bench, "tv", &code).await.error(), error, "after {wait} s");
    }
}

#[tokio::test]
async fn rfc8628_5_2_one_address_can_not_fill_the_store_with_waiting_devices() {
    let bench = Bench::new().await;
    let ask = async |address: &str| {
        let mut request = Request::post("/oidc/device/auth")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("client_id=tv&scope=openid"))
            .unwrap();
        request
            .extensions_mut()
            .insert(ClientAddress(address.parse().unwrap()));
        bench.send(request).await
    };
    for _ in 0..60 {
        assert_eq!(ask("192.0.2.7").await.status, StatusCode::OK);
    }
    let refused = ask("192.0.2.7").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header(header::RETRY_AFTER), "10");
    assert_eq!(refused.error(), "temporarily_unavailable");
    assert_eq!(ask("192.0.2.8").await.status, StatusCode::OK);
}

#[tokio::test]
async fn rfc8628_5_2_a_flood_on_one_app_leaves_the_devices_of_others_their_place() {
    let bench = Bench::new().await;
    let mut tx = bench.store.begin().await.unwrap();
    for number in 0..MOST_WAITING_PER_APP {
        let name = number.to_string();
        let new = NewDeviceCode {
            id: &name,
            digest: &name,
            user_digest: &name,
            client_id: "foreign-tv",
            scope: "openid",
            resources: &[],
            client_ip: None,
            poll_every: 5_000,
            expires_at: bench.now() + Duration::from_secs(600),
        };
        let begun = device_codes::add(&mut tx, &new, bench.now()).await.unwrap();
        assert_eq!(begun, Begun::Begun);
    }
    tx.commit().await.unwrap();
    let full = begin(&bench, &[("client_id", "foreign-tv"), ("scope", "openid")]).await;
    assert_eq!(
        (full.status, full.error().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
    );
    begun(&bench, "tv", "openid").await;
    bench.clock.advance(Duration::from_secs(600));
    begun(&bench, "foreign-tv", "openid").await;
}

#[tokio::test]
async fn rfc8628_3_5_a_flood_of_polls_is_slowed_down_and_writes_nothing() {
    let bench = Bench::new().await;
    let (code, _) = begun(&bench, "tv", "openid").await;
    let pace = async || -> (Option<i64>, i64) {
        sqlx::query_as("SELECT polled_at, poll_every FROM device_codes")
            .fetch_one(bench.store.reader())
            .await
            .unwrap()
    };
    assert_eq!(poll(&bench, "tv", &code).await.error(), "authorization_pending");
    let first = pace().await;
    assert_eq!(first, (Some(bench.now().as_millis()), 5_000));
    for _ in 0..9 {
        bench.clock.advance(Duration::from_millis(100));
        assert_eq!(poll(&bench, "tv", &code).await.error(), "slow_down");
        assert_eq!(pace().await, first);
    }
    bench.clock.advance(Duration::from_millis(100));
    assert_eq!(poll(&bench, "tv", &code).await.error(), "slow_down");
    assert_eq!(pace().await, (Some(bench.now().as_millis()), 10_000));
}

/// Of a person's two answers, one counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc8628_3_3_of_a_hundred_answers_at_once_one_counts() {
    let bench = Arc::new(Bench::new().await);
    let (_, request) = begun(&bench, "tv", "openid").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    let (request, session) = (Arc::new(request), Arc::new(session));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (bench, request, session) = (bench.clone(), request.clone(), session.clone());
        running.spawn(async move { approve(&bench, &request, &session).await });
    }
    let answers = running.join_all().await;
    let of = |wanted: Answered| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!((of(Answered::Done), of(Answered::Gone)), (1, 99));
    assert_eq!(audited(&bench).await.len(), 1);
}
