//! Out: by the visitor, by the provider, by a reset.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use keyback::logto::webhook::WebhookReceiver;
use keyback::{MemoryStore, Paths, Site};
use serde_json::json;
use url::Url;

use super::browser::{Browser, location, site};
use crate::provider::{CLIENT_ID, ISSUER, NOW, SUBJECT, World};

/// Clear, then the provider; the revocation is somebody else's work.
#[tokio::test]
async fn sign_out_ends_here_first_and_then_at_the_provider() {
    let world = World::new();
    let work = Arc::new(Mutex::new(Vec::new()));
    let site = site(&world, |builder| {
        let work = work.clone();
        builder
            .paths(Paths {
                signed_out: "/signed-out".to_owned(),
                ..Paths::default()
            })
            .spawner(move |task| work.lock().unwrap().push(task))
    });
    let mut browser = Browser::at(&world, &site);
    browser.sign_in().await;
    let answer = browser.post("/sign-out").await;
    let to = Url::parse(location(&answer)).unwrap();
    assert!(to.as_str().starts_with(&format!("{ISSUER}/session/end?")));
    let sent: HashMap<String, String> = to.query_pairs().into_owned().collect();
    assert_eq!(sent["post_logout_redirect_uri"], "https://app.example/signed-out");
    assert_eq!(browser.subject().await, None);
    assert!(browser.jar.is_empty());

    assert!(world.provider.lock().revocations.is_empty());
    let task = work.lock().unwrap().pop().unwrap();
    task.await;
    assert_eq!(
        world.provider.lock().revocations[0].field("token"),
        Some("refresh-1")
    );

    // Whoever is signed out already comes to the same page.
    assert_eq!(location(&browser.post("/sign-out").await), "/signed-out");
}

fn post(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Bytes> {
    let mut request = Request::post(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

#[tokio::test]
async fn the_provider_signs_out_everywhere_at_once() {
    let world = World::new();
    let in_store = site(&world, |builder| builder.store(Arc::new(MemoryStore::new())));
    for (number, site) in [site(&world, |builder| builder), in_store]
        .into_iter()
        .enumerate()
    {
        let mut browser = Browser::at(&world, &site);
        browser.sign_in().await;
        world.clock.advance(Duration::from_secs(1));
        let now = world.clock.seconds();
        let token = world.provider.lock().signer.sign(&json!({
            "iss": ISSUER, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": format!("jti-{number}"),
            "sub": SUBJECT, "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }));
        let body = format!("logout_token={token}");
        let request = post("/backchannel-logout", &[], body.as_bytes());
        let answer = site.answer(&request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(browser.subject().await, None);
        assert_eq!(
            site.answer(&request).await.unwrap().status(),
            StatusCode::BAD_REQUEST
        );
    }
}

fn with_webhooks(world: &World, told: &Arc<AtomicUsize>) -> Site {
    site(world, |builder| {
        let told = told.clone();
        builder
            .webhooks(
                WebhookReceiver::logto(["signing key"])
                    .unwrap()
                    .clock(world.clock.clone()),
            )
            .on_webhook(move |delivery| {
                assert_eq!(delivery.name(), "PostResetPassword");
                told.fetch_add(1, Ordering::Relaxed);
            })
    })
}

/// What Logto does not do by itself: a reset ends the sessions that began before it, and a repeat ends none that began
/// after.
#[tokio::test]
async fn a_reset_signs_out_everywhere() {
    let world = World::new();
    let told = Arc::new(AtomicUsize::new(0));
    let site = with_webhooks(&world, &told);
    let mut thief = Browser::at(&world, &site);
    thief.sign_in().await;

    world.clock.advance(Duration::from_secs(60));
    let at = chrono::DateTime::from_timestamp(i64::try_from(NOW).unwrap() + 60, 0).unwrap();
    let delivery = |hook: &str| {
        let body = json!({
            "event": "PostResetPassword", "createdAt": at.to_rfc3339(), "hookId": hook,
            "user": { "id": SUBJECT, "username": null, "customData": {}, "identities": {}, "isSuspended": false },
        })
        .to_string();
        let signature = hex::encode(hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, b"signing key"),
            body.as_bytes(),
        ));
        post(
            "/webhooks",
            &[("logto-signature-sha-256", &signature)],
            body.as_bytes(),
        )
    };
    let answer = site.answer(&delivery("hook")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(thief.subject().await, None);

    // The sign-in that follows the reset, in the same second.
    let mut owner = Browser::at(&world, &site);
    owner.sign_in().await;
    // Sent again, and told by another webhook.
    for (hook, times) in [("hook", 1), ("other", 2)] {
        let answer = site.answer(&delivery(hook)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(told.load(Ordering::Relaxed), times);
    }
    assert_eq!(owner.subject().await.as_deref(), Some(SUBJECT));

    let forged = [("logto-signature-sha-256", "00")];
    let answer = site.answer(&post("/webhooks", &forged, b"{}")).await.unwrap();
    assert!(answer.status().is_client_error());
    assert_eq!(told.load(Ordering::Relaxed), 2);
    let get = Request::builder()
        .method(Method::GET)
        .uri("/webhooks")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        site.answer(&get).await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}
