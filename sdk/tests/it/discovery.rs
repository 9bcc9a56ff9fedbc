//! The provider's metadata: lazy, fetched once, healing by itself.

use std::time::Duration;

use keyback::{Client, DiscoveryError, Error, Fault, Remedy};
use serde_json::{Value, json};

use crate::provider::{ISSUER, REDIRECT_URI, World, checked};

const METADATA: &str = "/oidc/.well-known/openid-configuration";

async fn refusal(tamper: impl FnOnce(&mut Value)) -> DiscoveryError {
    let world = World::new();
    tamper(&mut world.provider.lock().metadata);
    failure(&world).await
}

async fn failure(world: &World) -> DiscoveryError {
    match checked(world.client.ready().await).expect_err("discovery must fail") {
        Error::Discovery(error) => error,
        other => panic!("not about discovery: {other:?}"),
    }
}

#[tokio::test]
async fn building_a_client_asks_nobody() {
    let world = World::new();
    tokio::task::yield_now().await;
    assert!(world.provider.lock().requests.is_empty());
}

#[tokio::test]
async fn fifty_first_sign_ins_fetch_the_metadata_once() {
    let world = World::new();
    let begun: Vec<_> = (0..50)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move { client.sign_in().start().await })
        })
        .collect();
    for sign_in in begun {
        assert!(sign_in.await.unwrap().is_ok());
    }
    assert_eq!(world.provider.requests(METADATA), 1);
}

/// The provider may be down when the program starts. The failure is told at once, is never kept for long, and does not
/// become a storm.
#[tokio::test]
async fn a_provider_that_comes_up_later_is_found() {
    let world = World::new();
    world.provider.lock().down = true;
    let error = failure(&world).await;
    assert!(matches!(error, DiscoveryError::Unreachable { .. }));
    assert_eq!(
        (error.fault(), error.remedy()),
        (Fault::Network, Remedy::RetryLater)
    );

    for _ in 0..100 {
        failure(&world).await;
    }
    assert_eq!(world.provider.requests("down"), 1, "the pause holds");

    world.provider.lock().down = false;
    world.clock.advance(Duration::from_millis(250));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn the_pause_doubles_up_to_half_a_minute() {
    let world = World::new();
    world.provider.lock().down = true;
    // Jitter takes up to a half, so the full pause is always enough and less than half of it never.
    let mut attempts = 0;
    for pause in [
        250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ] {
        failure(&world).await;
        attempts += 1;
        assert_eq!(world.provider.requests("down"), attempts);
        world.clock.advance(Duration::from_millis(pause / 2 - 1));
        failure(&world).await;
        assert_eq!(world.provider.requests("down"), attempts);
        world.clock.advance(Duration::from_millis(pause / 2 + 1));
    }
}

#[tokio::test]
async fn waiters_share_the_failure_of_the_one_who_asked() {
    let world = World::new();
    world.provider.lock().down = true;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move { client.ready().await })
        })
        .collect();
    for waiter in waiting {
        assert!(waiter.await.unwrap().unwrap_err().is_retryable());
    }
    assert_eq!(world.provider.requests("down"), 1);
}

/// Whoever waits may go away; nobody else is stuck for it.
#[tokio::test]
async fn a_cancelled_caller_leaves_no_lock_behind() {
    let world = World::new();
    let client = world.client.clone();
    let caller = tokio::spawn(async move { client.ready().await });
    tokio::task::yield_now().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn stale_metadata_serves_while_the_provider_is_down() {
    let world = World::new();
    drop(world.begin().await);
    world.provider.lock().down = true;
    world.clock.advance(Duration::from_secs(2 * 60 * 60));
    drop(world.begin().await);
    assert_eq!(world.provider.requests("down"), 1);
    world.provider.lock().down = false;
    world.clock.advance(Duration::from_secs(1));
    drop(world.begin().await);
    assert_eq!(world.provider.requests(METADATA), 2);
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    for issuer in [
        "https://evil.example/oidc",
        "https://id.example/oidc/",
        "https://id.example",
        "",
    ] {
        let error = refusal(|metadata| metadata["issuer"] = json!(issuer)).await;
        assert!(matches!(error, DiscoveryError::ForeignIssuer), "{issuer}");
    }
}

#[tokio::test]
async fn endpoints_of_plain_http_are_refused() {
    let endpoints = [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
    ];
    for name in endpoints {
        for address in [
            "http://id.example/x",
            "ftp://id.example/x",
            "https://user:word@id.example/x",
        ] {
            let error = refusal(|metadata| metadata[name] = json!(address)).await;
            assert!(matches!(error, DiscoveryError::InsecureEndpoint { endpoint } if endpoint == name));
        }
        let error = refusal(|metadata| metadata[name] = json!("/relative")).await;
        assert!(matches!(error, DiscoveryError::Malformed { .. }));
    }
}

#[tokio::test]
async fn metadata_that_is_not_metadata_is_refused() {
    for body in ["", "null", "[]", "{}", "<html></html>", "{\"issuer\":"] {
        let world = World::new();
        world.provider.lock().metadata_body = Some(body.into());
        assert!(
            matches!(failure(&world).await, DiscoveryError::Malformed { .. }),
            "{body}"
        );
    }
    let world = World::new();
    world.provider.lock().metadata_body = Some(vec![b'x'; 600 * 1024].into());
    assert_eq!(failure(&world).await.code(), "discovery.too_large");
}

#[tokio::test]
async fn a_provider_without_s256_is_refused() {
    let error = refusal(|metadata| metadata["code_challenge_methods_supported"] = json!(["plain"])).await;
    assert!(matches!(error, DiscoveryError::NoS256));
    let world = World::new();
    world
        .provider
        .lock()
        .metadata
        .as_object_mut()
        .unwrap()
        .remove("code_challenge_methods_supported");
    world.client.ready().await.unwrap();
}

#[tokio::test]
async fn a_wrong_issuer_path_is_the_applications_mistake() {
    let world = World::new();
    let client = Client::builder("https://id.example/wrong", "my-app")
        .redirect_uri(REDIRECT_URI)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let error = checked(client.ready().await).unwrap_err();
    assert!(matches!(
        &error,
        Error::Discovery(DiscoveryError::Status { status: 404, .. })
    ));
    assert_eq!(
        (error.fault(), error.remedy()),
        (Fault::Application, Remedy::FixApplication)
    );
}

#[tokio::test]
async fn a_trailing_slash_of_the_issuer_is_part_of_it() {
    let issuer = format!("{ISSUER}/");
    let world = World::new();
    world.provider.lock().metadata["issuer"] = json!(issuer);
    let client = Client::builder(issuer, "my-app")
        .redirect_uri(REDIRECT_URI)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    client.ready().await.unwrap();
}
