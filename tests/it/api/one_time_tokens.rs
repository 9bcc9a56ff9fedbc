//! One-time tokens: made by the SDK's own call, and by those that it has none for.

use std::time::{Duration, UNIX_EPOCH};

use keyback::logto::management::{OneTimeToken, OneTimeTokenCheck, OneTimeTokenPurpose, OneTimeTokenRefusal};
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, OLD_PASSWORD, counts};
use serde_json::json;

use super::*;

const PATH: &str = "/api/one-time-tokens";
const TEN_MINUTES: Duration = Duration::from_secs(600);

async fn made(app: &TestApp) -> OneTimeToken {
    management(app)
        .create_one_time_token(ADA, OneTimeTokenPurpose::ForgotPassword, TEN_MINUTES)
        .await
        .unwrap()
}

fn at(id: &str) -> String {
    format!("{PATH}/{id}")
}

async fn verify(app: &TestApp, bearer: &str, token: &str, email: &str) -> Answer {
    let body = json!({ "token": token, "email": email });
    call(app, bearer, Method::POST, "/api/one-time-tokens/verify", body).await
}

/// Issue 4: the client that is made for Logto drives the companion too.
#[tokio::test]
async fn the_sdk_checks_and_revokes_what_it_has_made() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let refused = OneTimeTokenCheck::Refused;
    let used = made(&app).await;
    for (email, token, expected) in [
        (ADA, "nobody-s", refused(OneTimeTokenRefusal::NotFound)),
        (
            "bob@example.com",
            used.token(),
            refused(OneTimeTokenRefusal::OtherEmail),
        ),
        (ADA, used.token(), OneTimeTokenCheck::Right),
        (ADA, used.token(), refused(OneTimeTokenRefusal::Consumed)),
    ] {
        assert_eq!(api.check_one_time_token(email, token).await.unwrap(), expected);
    }
    assert_eq!(
        refusal(api.revoke_one_time_token(&used.id).await),
        ApiCode::TokenConsumed
    );
    let revoked = made(&app).await;
    api.revoke_one_time_token(&revoked.id).await.unwrap();
    let checked = api.check_one_time_token(ADA, revoked.token()).await.unwrap();
    assert_eq!(checked, refused(OneTimeTokenRefusal::Revoked));
    let late = made(&app).await;
    app.advance(TEN_MINUTES);
    let checked = api.check_one_time_token(ADA, late.token()).await.unwrap();
    assert_eq!(checked, refused(OneTimeTokenRefusal::Expired));
}

#[tokio::test]
async fn sr18_a_token_is_shown_where_it_is_made_and_rests_as_a_digest() {
    let app = with_backend(|_| {}).await;
    let token = made(&app).await;
    assert_eq!(token.token().len(), 43, "256 bits");
    assert_eq!(token.email, ADA);
    let expires = app.clock.now().as_millis() + 600_000;
    let expires = UNIX_EPOCH + Duration::from_millis(u64::try_from(expires).unwrap());
    assert_eq!(token.expires_at, Some(expires));

    let bearer = machine_token(&app, BACKEND).await;
    let shown = call(&app, &bearer, Method::GET, &at(&token.id), Value::Null).await;
    assert_eq!(shown.status, StatusCode::OK);
    let now = app.clock.now().as_millis();
    let expected = json!({
        "tenantId": "default", "id": token.id, "email": ADA, "status": "active", "createdAt": now,
        "expiresAt": now + 600_000, "context": { "interactionEvent": "ForgotPassword" },
    });
    assert_eq!(shown.body, expected);
    app.companion.store.close().await;
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(app.folder().join(name)).unwrap_or_default();
        let secret = token.token().as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret),
            "{name}"
        );
    }
}

#[tokio::test]
async fn sr62_a_token_verifies_its_address_once() {
    let app = with_backend(|_| {}).await;
    let (token, bearer) = (made(&app).await, machine_token(&app, BACKEND).await);
    for (text, email, status, code) in [
        ("no token of ours", ADA, 404, "one_time_token.token_not_found"),
        (
            token.token(),
            "bob@example.com",
            400,
            "one_time_token.email_mismatch",
        ),
        (token.token(), "no address", 400, "one_time_token.email_mismatch"),
    ] {
        let refused = verify(&app, &bearer, text, email).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code));
    }
    // Addresses have one form here, however they are spelled.
    let verified = verify(&app, &bearer, token.token(), " Ada@EXAMPLE.com ").await;
    assert_eq!(verified.status, StatusCode::OK, "{verified:?}");
    assert_eq!(verified.body["status"], "consumed");
    assert_eq!(verified.body["token"], Value::Null);
    let again = verify(&app, &bearer, token.token(), ADA).await;
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (400, "one_time_token.token_consumed")
    );
    assert_eq!(app.audited("one_time_token_created").await, 1);
    assert_eq!(app.audited("one_time_token_consumed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_many_that_verify_a_token_at_once_one_is_told_that_it_is_right() {
    let app = with_backend(|_| {}).await;
    let (token, bearer) = (made(&app).await, machine_token(&app, BACKEND).await);
    let count = counts(100, 500);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..count {
        let body = json!({ "token": token.token(), "email": ADA }).to_string();
        let request = reqwest::Client::new()
            .post(app.url.join("/api/one-time-tokens/verify").unwrap())
            .bearer_auth(&bearer)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        running.spawn(async move { answer(request).await });
    }
    let answers = running.join_all().await;
    let right = answers.iter().filter(|answer| answer.status == StatusCode::OK);
    assert_eq!(right.count(), 1);
    let used = answers
        .iter()
        .filter(|answer| answer.code() == "one_time_token.token_consumed");
    assert_eq!(used.count(), count - 1);
}

#[tokio::test]
async fn tokens_expire_are_revoked_and_deleted() {
    let app = with_backend(|_| {}).await;
    let bearer = machine_token(&app, BACKEND).await;
    let put = async |id: &str, status: &str| {
        let path = format!("{PATH}/{id}/status");
        call(&app, &bearer, Method::PUT, &path, json!({ "status": status })).await
    };
    let revoked = made(&app).await;
    let active = put(&revoked.id, "active").await;
    assert_eq!(active.code(), "one_time_token.cannot_reactivate_token");
    assert_eq!(put(&revoked.id, "expired").await.code(), "guard.invalid_input");
    assert_eq!(put(&revoked.id, "lost").await.code(), "guard.invalid_input");
    let answer = put(&revoked.id, "revoked").await;
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (StatusCode::OK, &json!("revoked"))
    );
    for told in [
        verify(&app, &bearer, revoked.token(), ADA).await,
        put(&revoked.id, "consumed").await,
    ] {
        assert_eq!(
            (told.status.as_u16(), told.code()),
            (400, "one_time_token.token_revoked")
        );
    }
    assert_eq!(app.audited("one_time_token_revoked").await, 1);

    let old = made(&app).await;
    app.advance(TEN_MINUTES);
    let expired = verify(&app, &bearer, old.token(), ADA).await;
    assert_eq!(expired.code(), "one_time_token.token_expired");
    assert_eq!(
        put(&old.id, "revoked").await.code(),
        "one_time_token.token_expired"
    );
    let deleted = call(&app, &bearer, Method::DELETE, &at(&old.id), Value::Null).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        let gone = call(&app, &bearer, method, &at(&old.id), Value::Null).await;
        assert_eq!((gone.status.as_u16(), gone.code()), (404, "entity.not_found"));
    }
    assert_eq!(put(&old.id, "revoked").await.code(), "entity.not_found");
    assert_eq!(app.audited("one_time_token_deleted").await, 1);
    // SR-86: nothing is kept for ever.
    app.advance(Duration::from_secs(8 * 86_400));
    app.companion.sweep().await.unwrap();
    assert_eq!(app.row_counts().await["one_time_tokens"], 0);
}

#[tokio::test]
async fn tokens_are_listed_by_address_and_standing_in_pages() {
    let app = with_backend(|_| {}).await;
    let bearer = machine_token(&app, BACKEND).await;
    let first = made(&app).await;
    verify(&app, &bearer, first.token(), ADA).await;
    let make = async |body: Value| call(&app, &bearer, Method::POST, PATH, body).await;
    app.advance(Duration::from_secs(1));
    let plain = make(json!({ "email": "Bob@Example.com", "context": null })).await;
    assert_eq!(plain.status, StatusCode::CREATED);
    assert_eq!(
        (&plain.body["email"], &plain.body["context"]),
        (&json!("bob@example.com"), &json!({}))
    );
    let life = plain.body["expiresAt"].as_i64().unwrap() - plain.body["createdAt"].as_i64().unwrap();
    assert_eq!(life, 600_000);
    app.advance(Duration::from_secs(1));
    let short = json!({ "email": ADA, "expiresIn": 1, "context": { "interactionEvent": "SignIn", "jitOrganizationIds": ["a"] } });
    assert_eq!(
        make(short).await.body["context"],
        json!({ "interactionEvent": "SignIn" })
    );
    app.advance(Duration::from_secs(1));
    for (query, expected) in [
        ("", vec!["expired", "active", "consumed"]),
        ("?email=ADA@example.com", vec!["expired", "consumed"]),
        ("?status=active", vec!["active"]),
        ("?email=ada@example.com&status=consumed", vec!["consumed"]),
        ("?status=revoked", vec![]),
        ("?page=2&page_size=2", vec!["consumed"]),
    ] {
        let listed = call(&app, &bearer, Method::GET, &format!("{PATH}{query}"), Value::Null).await;
        let listed_as: Vec<_> = listed
            .body
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["status"])
            .collect();
        assert_eq!(
            listed_as,
            expected
                .iter()
                .map(|status| json!(status))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>(),
            "{query}"
        );
        assert!(
            listed
                .body
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row.get("token").is_none())
        );
    }
    let all = call(
        &app,
        &bearer,
        Method::GET,
        &format!("{PATH}?page_size=1"),
        Value::Null,
    )
    .await;
    assert_eq!(all.headers["total-number"], "3");
    for wrong in [
        json!({ "email": "+14155550123" }),
        json!({ "email": "no address" }),
        json!({}),
        json!({ "email": ADA, "expiresIn": 0 }),
        json!({ "email": ADA, "expiresIn": 86_401 }),
        json!({ "email": ADA, "expiresIn": 1.5 }),
        json!({ "email": ADA, "context": { "interactionEvent": "Consent" } }),
    ] {
        let refused = make(wrong.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "guard.invalid_input"),
            "{wrong}"
        );
    }
    for (query, code) in [
        ("?status=lost", "guard.invalid_input"),
        ("?email=x", "guard.invalid_input"),
        ("?page=0", "guard.invalid_pagination"),
    ] {
        let refused = call(&app, &bearer, Method::GET, &format!("{PATH}{query}"), Value::Null).await;
        assert_eq!(refused.code(), code, "{query}");
    }
    let nobody = call(&app, "nonsense", Method::POST, PATH, json!({ "email": ADA })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}

/// SR-24: what was sent to an address serves no more once its account has another password, or another address.
#[tokio::test]
async fn sr24_a_changed_password_or_address_revokes_what_was_made_for_it() {
    let app = with_backend(|_| {}).await;
    let user = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (bearer, api) = (machine_token(&app, BACKEND).await, management(&app));
    let of_bob = api
        .create_one_time_token("bob@example.com", OneTimeTokenPurpose::SignIn, TEN_MINUTES)
        .await
        .unwrap();
    for change in [
        (
            format!("/api/users/{user}/password"),
            json!({ "password": "a pair of new shoelaces" }),
        ),
        (
            format!("/api/users/{user}"),
            json!({ "primaryEmail": "ada@elsewhere.example" }),
        ),
    ] {
        let token = made(&app).await;
        let changed = call(&app, &bearer, Method::PATCH, &change.0, change.1).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        let told = verify(&app, &bearer, token.token(), ADA).await;
        assert_eq!(told.code(), "one_time_token.token_revoked", "{}", change.0);
    }
    let other = verify(&app, &bearer, of_bob.token(), "bob@example.com").await;
    assert_eq!(other.status, StatusCode::OK);
}
