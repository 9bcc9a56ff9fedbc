//! Who may use the Management API, and what every call is answered.

use keyback::logto::Recipient;
use keyback_companion::config::app::{AppConfig, AppKind, MANAGEMENT_API, ResourceConfig, Secret};
use keyback_companion::secrets::digest_of;
use keyback_companion::store::apps::{self, StoredApp};
use keyback_companion::store::users;
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn sr73_only_a_machine_app_with_a_token_for_the_api_may_use_it() {
    let app = with_backend(|config| {
        config.resources = vec![ResourceConfig::new(
            "https://orders.example",
            vec!["read".to_owned()],
        )];
        config.apps.push(AppConfig {
            client_secret: Some(Secret::new(BACKEND_SECRET)),
            resources: vec!["https://orders.example".to_owned()],
            scopes: vec!["all".to_owned()],
            ..AppConfig::new("reports", AppKind::Machine)
        });
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let url = app.url.join("/api/users").unwrap();
    let none = answer(reqwest::Client::new().get(url)).await;
    assert_eq!(
        (none.status, none.code()),
        (StatusCode::UNAUTHORIZED, "auth.authorization_header_missing")
    );
    assert_eq!(none.headers[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(none.headers[header::CACHE_CONTROL], "no-store");

    // Ada's own token, that of an app for another API, and that of an app for the provider itself.
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let adas = app.site.session_of(&browser).unwrap();
    let mut others = vec!["nobody-s".to_owned(), adas.access_token().to_owned()];
    for form in ["&resource=https://orders.example", ""] {
        let request = reqwest::Client::new()
            .post(app.url.join("/oidc/token").unwrap())
            .basic_auth("reports", Some(BACKEND_SECRET))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("grant_type=client_credentials{form}"));
        others.push(
            answer(request).await.body["access_token"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    for other in others {
        for path in ["/api/users".to_owned(), format!("/api/users/{id}")] {
            let refused = call(&app, &other, Method::GET, &path, Value::Null).await;
            assert_eq!(
                (refused.status, refused.code()),
                (StatusCode::UNAUTHORIZED, "auth.unauthorized")
            );
        }
    }
    // An app that doesn't list the API gets no token for it.
    let form = format!("grant_type=client_credentials&resource={MANAGEMENT_API}&scope=all");
    let request = reqwest::Client::new()
        .post(app.url.join("/oidc/token").unwrap())
        .basic_auth("reports", Some(BACKEND_SECRET))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    assert_eq!(answer(request).await.body["error"], "invalid_target");

    let user = management(&app).user(&id).await.unwrap().unwrap();
    assert_eq!((user.id, user.has_password), (id, Some(true)));
}

#[tokio::test]
async fn a_token_is_worth_no_more_than_what_its_app_has_still() {
    let app = TestApp::start().await;
    let mut config = AppConfig {
        resources: vec![MANAGEMENT_API.to_owned()],
        ..AppConfig::new(BACKEND, AppKind::Machine)
    };
    let add = async |config: &AppConfig| {
        let stored = StoredApp {
            config: config.clone(),
            secret_digest: Some(digest_of(BACKEND_SECRET)),
        };
        apps::add(app.companion.store.writer(), &stored, app.clock.now())
            .await
            .unwrap();
    };
    add(&config).await;
    let token = machine_token(&app, BACKEND).await;
    let list = async || call(&app, &token, Method::GET, "/api/users", Value::Null).await;
    assert_eq!(list().await.status, StatusCode::OK);

    // As an operator who writes to the table: `app remove` would take the token along.
    let remove = async || {
        sqlx::query("DELETE FROM apps WHERE client_id = $1")
            .bind(BACKEND)
            .execute(app.companion.store.writer())
            .await
            .unwrap();
    };
    remove().await;
    assert_eq!(list().await.code(), "auth.unauthorized");
    config.resources.clear();
    add(&config).await;
    let refused = list().await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::FORBIDDEN, "auth.forbidden")
    );
}

#[tokio::test]
async fn a_token_that_was_revoked_is_fetched_anew_by_the_sdk() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, None).await;
    assert!(api.user(&id).await.unwrap().is_some());
    sqlx::query("DELETE FROM machine_tokens")
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert!(api.user(&id).await.unwrap().is_some());
    assert!(api.user("nobody").await.unwrap().is_none());
}

#[tokio::test]
async fn bodies_are_json_of_a_bounded_size_and_errors_repeat_nothing() {
    let app = with_backend(|_| {}).await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let token = machine_token(&app, BACKEND).await;
    let path = format!("/api/users/{id}/password");
    let send = async |kind: &str, body: String| {
        let request = reqwest::Client::new()
            .patch(app.url.join(&path).unwrap())
            .bearer_auth(&token)
            .header(header::CONTENT_TYPE, kind)
            .body(body);
        answer(request).await
    };
    let secret = "violet-otter-secret";
    for (kind, body, status) in [
        ("text/plain", json!({ "password": secret }).to_string(), 415),
        ("application/json", "x".repeat(70_000), 413),
        (
            "application/json",
            format!("{{\"password\": {{\"{secret}\": 1}}}}"),
            400,
        ),
        ("application/json", json!({ "password": null }).to_string(), 400),
        ("application/json", json!({ "password": "" }).to_string(), 400),
        ("application/json", secret.to_owned(), 400),
        ("application/json", format!("[\"{secret}\"]"), 400),
        ("application/json", String::new(), 400),
    ] {
        let refused = send(kind, body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (status, "guard.invalid_input")
        );
        assert!(!refused.body.to_string().contains(secret));
    }
    let lost = call(&app, &token, Method::GET, "/api/roles", Value::Null).await;
    assert_eq!(
        (lost.status, lost.code()),
        (StatusCode::NOT_FOUND, "entity.not_found")
    );
    let wrong = call(&app, &token, Method::DELETE, "/api/users", Value::Null).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.code(), "request.method_not_allowed");

    // SR-68: a failure of ours is told by an id alone.
    sqlx::query("ALTER TABLE credentials RENAME TO elsewhere")
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    let failed = call(&app, &token, Method::GET, "/api/users", Value::Null).await;
    assert_eq!(
        (failed.status, failed.code()),
        (StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error")
    );
    assert!(!failed.body["data"]["eventId"].as_str().unwrap().is_empty());
    assert!(!failed.body.to_string().contains("credentials"));
    assert!(
        users::find(app.companion.store.reader(), &id)
            .await
            .unwrap()
            .is_some()
    );
}

/// SR-5: what an app sends is limited by app, and leaves the visitors of others theirs.
#[tokio::test]
async fn sr05_an_app_sends_only_so_many_codes() {
    let app = with_backend(|config| config.limits.sends_per_app = Some(2)).await;
    let api = management(&app);
    let to = |number: u32| Recipient::Email(format!("user{number}@example.com"));
    for number in 0..2 {
        api.send_code(&to(number)).await.unwrap();
    }
    assert_eq!(refusal(api.send_code(&to(2)).await), ApiCode::MessageRateLimited);
    let mut visitor = app.browser();
    visitor.open("/reset-password?client_id=shop").await;
    visitor.ask_reset("user2@example.com").await;
    visitor.assert_at("/forgot-password/code");
}
