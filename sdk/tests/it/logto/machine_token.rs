//! The machine app's token: one for all callers, renewed in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use keyback::logto::management::Management;
use keyback::{ApiCode, Error, ExchangeError, Remedy};
use serde_json::json;

use super::management::{api_code, management, signed_in, token};
use super::server::Server;
use crate::provider::{World, checked};

#[tokio::test(flavor = "multi_thread")]
async fn one_token_serves_all_and_is_renewed_before_it_expires() {
    let server = signed_in("nothing", 0, "");
    let clock = World::new().clock;
    let api = Management::builder("https://tenant.logto.app", "app", "secret")
        .http(server.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.sessions("u1").await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let tokens = || {
        server
            .asked()
            .iter()
            .filter(|asked| *asked == "POST /oidc/token")
            .count()
    };
    assert_eq!(tokens(), 1);
    clock.advance(Duration::from_secs(3200));
    api.sessions("u1").await.unwrap();
    assert_eq!(tokens(), 1);
    clock.advance(Duration::from_secs(50));
    api.sessions("u1").await.unwrap();
    assert_eq!(tokens(), 2, "nine tenths of its life are over");
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let issued = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&issued);
    let server = Server::new(move |request| match request.uri().path() {
        "/oidc/token" => token(&format!("t{}", counted.fetch_add(1, Ordering::SeqCst))),
        // The first token was revoked; a user whose id is `never` is refused whatever the token.
        path => match request.headers()[AUTHORIZATION].to_str().unwrap() {
            "Bearer t0" => (401, json!({ "code": "auth.unauthorized" })),
            _ if path.contains("never") => (401, json!({ "code": "auth.unauthorized" })),
            _ => (200, json!({ "hasPassword": true })),
        },
    });
    let api = management(server.clone());
    assert!(api.has_password("u1").await.unwrap());
    assert_eq!(issued.load(Ordering::SeqCst), 2);
    assert!(api.has_password("u1").await.unwrap());
    assert_eq!(issued.load(Ordering::SeqCst), 2);
    let error = checked(api.has_password("never").await).unwrap_err();
    assert_eq!(api_code(&error), &ApiCode::Unauthorized);
    assert_eq!(error.remedy(), Remedy::FixApplication);
    assert_eq!(issued.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn no_token_is_an_error_of_the_exchange() {
    let answers = [
        (
            401,
            json!({ "error": "invalid_client" }),
            "exchange.invalid_client",
        ),
        (400, json!({ "error": "invalid_target" }), "exchange.refused"),
        (503, json!("busy"), "exchange.unavailable"),
        (
            200,
            json!({ "access_token": "must-not-leak" }),
            "exchange.malformed",
        ),
        (
            200,
            json!({ "access_token": "must-not-leak", "token_type": "DPoP" }),
            "exchange.not_bearer",
        ),
        (200, json!("<html>"), "exchange.malformed"),
    ];
    for (status, body, code) in answers {
        let server = Server::new(move |_| (status, body.clone()));
        let api = management(server.clone());
        let error = checked(api.has_password("u1").await).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(server.requests(), 1, "{code}");
    }
    let refused = Server::new(|_| (401, json!({ "error": "invalid_client" })));
    let error = management(refused).has_password("u1").await.unwrap_err();
    assert!(matches!(error, Error::Exchange(ExchangeError::InvalidClient)));
}
