//! Signing keys change, and no relying party is interrupted: the shop keeps the key set as its `Cache-Control` allows,
//! and its sign-ins go on, those with old tokens and those with new ones.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback::Session;
use keyback_companion::oidc::keys::Handover;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);

/// Somebody signs in at the shop, which checks the ID token by the keys it knows.
async fn sign_in(app: &TestApp) -> (Session, String) {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
    let session = app.site.session_of(&browser).unwrap();
    let key = key_of(session.id_token());
    (session.as_ref().clone(), key)
}

fn key_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn published(app: &TestApp) -> BTreeSet<String> {
    let answer = app.browser().get_once("/oidc/jwks").await;
    let set: Value = serde_json::from_str(&answer.body).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn oidc_core_10_1_1_a_rotation_interrupts_no_relying_party() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (mut session, old_key) = sign_in(&app).await;
    let before = published(&app).await;
    app.rotate_keys(Handover::Announced).await;

    // Within a minute the successor is published, and doesn't sign yet: everybody has time to learn of it.
    app.advance(MINUTE);
    let both = published(&app).await;
    assert!(both.is_superset(&before) && both.len() == 2 * before.len());
    let (_, key) = sign_in(&app).await;
    assert_eq!(key, old_key);

    // Minute by minute, over the handover and beyond: every sign-in and every refresh is checked by the shop.
    let mut signed_by = Vec::new();
    for _ in 0..16 {
        app.advance(MINUTE);
        let (_, key) = sign_in(&app).await;
        signed_by.push(key);
        session = app.site.client.refresh(&session).await.unwrap();
        app.site.client.user_info(&session).await.unwrap();
    }
    let handover = signed_by.iter().position(|key| *key != old_key).unwrap();
    assert!((10..=12).contains(&handover), "after minute {handover}");
    let new_key = &signed_by[handover];
    assert!(signed_by[handover..].iter().all(|key| key == new_key));
    assert!(both.contains(new_key), "it was published before it signed");

    // The old key stays as long as a token that it signed may live: an hour.
    for _ in 0..4 {
        app.advance(10 * MINUTE);
        assert!(published(&app).await.contains(&old_key));
    }
    app.advance(30 * MINUTE);
    let after = published(&app).await;
    assert!(!after.contains(&old_key) && after.contains(new_key));
    assert_eq!(after.len(), before.len());
    session = app.site.client.refresh(&session).await.unwrap();
    assert_eq!(key_of(session.id_token()), *new_key);
}

/// A relying party that has just fetched the key set, and keeps it for the whole time it may.
#[tokio::test]
async fn oidc_core_10_1_1_a_key_set_fetched_just_before_the_rotation_serves_until_it_expires() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    sign_in(&app).await;
    let kept = published(&app).await;
    app.rotate_keys(Handover::Announced).await;
    // As long as `Cache-Control` allows, counted from the last moment at which the old set was served.
    for _ in 0..6 {
        app.advance(MINUTE);
        let (_, key) = sign_in(&app).await;
        assert!(kept.contains(&key), "no token needs a key that it doesn't hold");
    }
}
