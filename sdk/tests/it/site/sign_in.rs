//! In: from the link to the session.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{Method, StatusCode};
use keyback::{MemoryStore, Paths, Purpose};
use serde_json::json;

use super::browser::{Browser, NAVIGATION, location, site};
use crate::provider::{SUBJECT, World};

#[tokio::test]
async fn a_visitor_signs_in_and_comes_back_to_where_they_wanted() {
    let world = World::conventional(|builder| builder);
    let in_store = site(&world, |builder| builder.store(Arc::new(MemoryStore::new())));
    for site in [site(&world, |builder| builder), in_store] {
        let mut browser = Browser::at(&world, &site);
        assert_eq!(browser.subject().await, None);
        let callback = browser
            .callback_after("/sign-in?return_to=%2Forders%3Fpage%3D2")
            .await;
        assert_eq!(browser.pending(), 1);
        let answer = browser.open(&callback).await;
        assert_eq!(
            (answer.status(), location(&answer)),
            (StatusCode::SEE_OTHER, "/orders?page=2")
        );
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
        assert_eq!(browser.pending(), 0);
        for set in answer.headers().get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(
                set.starts_with("__Host-kbrp_") && set.contains("; HttpOnly") && set.contains("; Secure")
            );
        }
    }
}

#[tokio::test]
async fn forgot_password_leads_to_the_reset_page_and_says_so_afterwards() {
    let world = World::new();
    let site = site(&world, |builder| {
        builder.sign_ins(|request| request.ui_locales(["fr"]))
    });
    let mut browser = Browser::at(&world, &site);
    let answer = browser.open("/forgot-password").await;
    let sent = url::Url::parse(location(&answer)).unwrap();
    let sent: std::collections::HashMap<_, _> = sent.query_pairs().into_owned().collect();
    assert_eq!(sent["first_screen"], "reset-password");
    assert_eq!(sent["prompt"], "login");
    assert_eq!(sent["ui_locales"], "fr");

    let callback = browser.callback_after("/forgot-password").await;
    browser.open(&callback).await;
    let request = browser.request(Method::GET, "/", NAVIGATION);
    let signed_in = site.visit(request.headers()).signed_in().await.unwrap().unwrap();
    assert_eq!(signed_in.purpose(), Purpose::ResetPassword);
}

#[tokio::test]
async fn a_return_path_leads_nowhere_else() {
    let world = World::new();
    let site = site(&world, |builder| builder);
    for elsewhere in [
        "//evil.example",
        "https%3A%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "",
    ] {
        let mut browser = Browser::at(&world, &site);
        let callback = browser
            .callback_after(&format!("/sign-in?return_to={elsewhere}"))
            .await;
        assert_eq!(location(&browser.open(&callback).await), "/", "{elsewhere}");
    }
}

/// Whoever is signed in has nothing to do at the sign-in.
#[tokio::test]
async fn who_is_signed_in_starts_no_other_sign_in() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let answer = browser.open("/sign-in?return_to=/orders").await;
    assert_eq!(location(&answer), "/orders");
    assert_eq!(browser.pending(), 0);
}

#[tokio::test]
async fn the_pending_cookie_is_gone_before_the_exchange_and_whatever_comes_of_it() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let callback = browser.callback_after("/sign-in").await;
    world.provider.lock().token_error = Some((StatusCode::SERVICE_UNAVAILABLE, json!({})));
    assert_eq!(
        browser.open(&callback).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(browser.pending(), 0);
    world.provider.lock().token_error = None;
    assert_eq!(browser.open(&callback).await.status(), StatusCode::BAD_REQUEST);

    let refused = browser
        .callback_after("/sign-in")
        .await
        .replace("code=", "error=access_denied&was=");
    assert_eq!(browser.open(&refused).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(browser.pending(), 0);
}

/// A code that is sent twice makes some providers revoke what it gave the first time.
#[tokio::test]
async fn a_callback_is_taken_once() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let callback = browser.callback_after("/sign-in").await;
    let twice = browser.request(Method::GET, &callback, NAVIGATION);
    browser.open(&callback).await;
    let exchanges = world.provider.requests("/oidc/token");
    // The browser had sent it before the cookie was cleared.
    let answer = browser.site.answer(&twice).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    // Loaded again, it leads home.
    assert_eq!(location(&browser.open(&callback).await), "/");
    assert_eq!(world.provider.requests("/oidc/token"), exchanges);
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}

/// Two tabs of one browser, ended in the other order than they were begun.
#[tokio::test]
async fn tabs_do_not_collide() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let one = browser.callback_after("/sign-in?return_to=/one").await;
    let other = browser.callback_after("/sign-in?return_to=/other").await;
    assert_eq!(browser.pending(), 2);
    assert_eq!(location(&browser.open(&other).await), "/other");
    assert_eq!(location(&browser.open(&one).await), "/one");
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}

/// The session that the browser had ends, and the new one has another id: a planted id is worth nothing.
#[tokio::test]
async fn a_sign_in_begins_a_session_of_its_own() {
    let world = World::new();
    let site = site(&world, |builder| builder.store(Arc::new(MemoryStore::new())));
    let mut eve = Browser::at(&world, &site);
    eve.sign_in().await;
    let mut ada = Browser::at(&world, &site);
    ada.jar.clone_from(&eve.jar);
    let callback = ada.callback_after("/forgot-password").await;
    ada.open(&callback).await;
    assert_eq!(ada.subject().await.as_deref(), Some(SUBJECT));
    assert_ne!(ada.jar, eve.jar);
    assert_eq!(eve.subject().await, None);
    // Its refresh token is revoked, where there is a run time in a task of its own.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.provider.lock().revocations.len(), 1);
}

#[tokio::test]
async fn refreshed_tokens_travel_back_in_cookies() {
    let world = World::new();
    world.provider.lock().rotation = Some(crate::provider::Rotation::default());
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    world.clock.advance(std::time::Duration::from_secs(3600));
    for _ in 0..3 {
        let request = browser.request(Method::GET, "/", NAVIGATION);
        let visit = browser.site.visit(request.headers());
        let signed_in = visit.signed_in().await.unwrap().unwrap();
        signed_in.access_token(None, None).await.unwrap();
        let mut answer = http::Response::new(());
        visit.finish(answer.headers_mut());
        browser.take(&answer);
        world.clock.advance(std::time::Duration::from_secs(40));
    }
    assert_eq!(world.provider.lock().rotation.as_ref().unwrap().uses(), 1);
}

#[tokio::test]
async fn routes_can_be_elsewhere() {
    let world = World::new();
    let site = site(&world, |builder| {
        builder.paths(Paths {
            sign_in: "/login".to_owned(),
            ..Paths::default()
        })
    });
    let mut browser = Browser::at(&world, &site);
    assert_eq!(browser.open("/login").await.status(), StatusCode::SEE_OTHER);
    for other in ["/sign-in", "/", "/callback/", "/callback-evil", "/webhooks"] {
        let request = browser.request(Method::GET, other, NAVIGATION);
        assert!(site.answer(&request).await.is_none(), "{other}");
    }
}
