//! The Management API, as a running Logto answered.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use keyback::logto::management::{CodeCheck, Management, OneTimeTokenPurpose, PasswordCheck, SignedOut};
use keyback::logto::{CodeRefusal, Password, PasswordIssue, Recipient, RevokeGrants};
use keyback::{ApiCode, ApiError, ConfigError, Error, HttpTransport, Remedy};
use serde_json::{Value, json};

use super::replay::Replay;
use super::server::Server;
use crate::provider::checked;

const ALICE: &str = "x6vsttvuoy4f";

pub(super) fn management(http: Arc<dyn HttpTransport>) -> Management {
    Management::builder(
        "http://localhost:3001",
        "hxun3de6m2td36jbbnq9q",
        "secret-must-not-leak",
    )
    .http(http)
    .build()
    .unwrap()
}

fn email(address: &str) -> Recipient {
    Recipient::Email(address.to_owned())
}

#[tokio::test]
async fn users_are_found_and_read() {
    let replay = Replay::management(&["m2m-token", "find by email", "find upper", "find none", "has"]);
    let api = management(replay.clone());
    let found = api.user_by_email("alice@example.test").await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.has_password), (ALICE, Some(true)));
    assert!(
        replay
            .last_header("authorization")
            .unwrap()
            .starts_with("Bearer eyJ")
    );
    assert!(api.user_by_email("ALICE@example.test").await.unwrap().is_some());
    assert!(api.user_by_email("zz@example.test").await.unwrap().is_none());
    assert!(api.has_password(ALICE).await.unwrap());
    assert!(replay.is_over());
    assert!(!format!("{found:?}").contains("alice"));
}

#[tokio::test]
async fn a_password_is_set_without_a_policy_and_judged_by_one() {
    let replay = Replay::management(&[
        "m2m-token",
        "check-password",
        "check-password ok",
        "PATCH weak",
        "PATCH empty",
        "PATCH unknown user",
        "PATCH good",
        "verify pw old",
        "verify pw new",
    ]);
    let api = management(replay.clone());
    let issues = vec![PasswordIssue::TooShort { min: Some(8) }, PasswordIssue::Sequence];
    let judged = api.check_password("abc", Some(ALICE)).await.unwrap();
    assert_eq!(judged, PasswordCheck::Rejected(issues));
    let judged = api.check_password("Check-Horse-12-battery", Some(ALICE)).await;
    assert_eq!(judged.unwrap(), PasswordCheck::Accepted);

    assert_eq!(api.set_password_unchecked(ALICE, "a").await.unwrap().id, ALICE);
    let empty = checked(api.set_password_unchecked(ALICE, "").await).unwrap_err();
    assert_eq!(api_code(&empty), &ApiCode::InvalidInput);
    let nobody = checked(api.set_password_unchecked("nope", "Some-pass-99x").await).unwrap_err();
    assert_eq!(api_code(&nobody), &ApiCode::NotFound);
    api.set_password_unchecked(ALICE, "Mgmt-Horse-11-battery".to_owned())
        .await
        .unwrap();
    assert!(!api.is_password(ALICE, "Correct-Horse-9-battery").await.unwrap());
    assert!(api.is_password(ALICE, "Mgmt-Horse-11-battery").await.unwrap());
    assert!(replay.is_over());
}

pub(super) fn api_code(error: &Error) -> &ApiCode {
    match error {
        Error::Api(error) => error.api_code().unwrap(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn codes_are_sent_and_checked() {
    let replay = Replay::management(&[
        "m2m-token",
        "send",
        "verify wrong",
        "verify other email",
        "verify expired",
        "verify good",
        "verify reuse",
        "send phone",
        "send bad",
    ]);
    let api = management(replay.clone());
    let alice = email("alice@example.test");
    api.send_code(&alice).await.unwrap();
    let refused = |why| CodeCheck::Refused(why);
    assert_eq!(
        api.check_code(&alice, "000000").await.unwrap(),
        refused(CodeRefusal::Wrong)
    );
    let other = api.check_code(&email("zz@example.test"), "697527").await.unwrap();
    assert_eq!(other, refused(CodeRefusal::NotFound));
    assert_eq!(
        api.check_code(&alice, "697527").await.unwrap(),
        refused(CodeRefusal::Expired)
    );
    assert_eq!(api.check_code(&alice, "697527").await.unwrap(), CodeCheck::Right);
    assert_eq!(
        api.check_code(&alice, "697527").await.unwrap(),
        refused(CodeRefusal::NotFound)
    );

    let no_connector = checked(api.send_code(&Recipient::Phone("12025550123".to_owned())).await).unwrap_err();
    assert_eq!(api_code(&no_connector), &ApiCode::ConnectorNotFound);
    assert_eq!(no_connector.remedy(), Remedy::AskProvider);
    let malformed = checked(api.send_code(&email("not-email")).await).unwrap_err();
    assert_eq!(api_code(&malformed), &ApiCode::InvalidInput);
    assert!(replay.is_over());
}

#[tokio::test]
async fn sessions_and_one_time_tokens_are_read() {
    let replay = Replay::management(&["m2m-token", "sessions", "ott"]);
    let api = management(replay.clone());
    let sessions = api.sessions(ALICE).await.unwrap();
    assert!(sessions.len() > 3);
    assert_eq!(sessions[0].id, "fS3ttmkbDG4fjPGaaifPh9zpJsnKpYSFlV17Dc70PID");
    assert_eq!(sessions[0].apps, ["bl5o240e7h2vags9n8539"]);
    assert_eq!(sessions[0].user_agent.as_deref(), Some("node"));

    let purpose = OneTimeTokenPurpose::ForgotPassword;
    let token = api
        .create_one_time_token("alice@example.test", purpose, Duration::from_secs(600))
        .await
        .unwrap();
    assert_eq!(token.token(), "el38CHlUfORlv18MOSD53vMeWgaXdDCm");
    assert_eq!(
        token.expires_at,
        Some(UNIX_EPOCH + Duration::from_millis(1_795_440_068_300))
    );
    assert!(!format!("{token:?}").contains("el38"));
}

/// A Logto with two sessions and three grants, of which one goes with a session.
pub(super) fn signed_in(refuse: &'static str, status: u16, code: &'static str) -> Arc<Server> {
    Server::new(move |request| {
        let asked = format!("{} {}", request.method(), request.uri().path());
        if asked == refuse {
            return (status, json!({ "code": code }));
        }
        match asked.as_str() {
            "POST /oidc/token" => token("t"),
            "GET /api/users/u1/sessions" => (
                200,
                json!({ "sessions": [{ "payload": { "uid": "s1" } }, { "payload": { "uid": "s2" } }] }),
            ),
            "GET /api/users/u1/grants" => (200, json!({ "grants": [{ "id": "g1" }, { "id": "g2" }] })),
            _ => (204, Value::Null),
        }
    })
}

pub(super) fn token(token: &str) -> (u16, Value) {
    (
        200,
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "all" }),
    )
}

#[tokio::test]
async fn everywhere_means_sessions_with_their_grants_and_then_the_grants_that_are_left() {
    let server = signed_in("nothing", 0, "");
    let api = management(server.clone());
    let SignedOut { sessions, grants, .. } = api.sign_out_everywhere("u1").await.unwrap();
    assert_eq!((sessions, grants), (2, 2));
    assert_eq!(
        server.asked(),
        [
            "POST /oidc/token",
            "GET /api/users/u1/sessions",
            "DELETE /api/users/u1/sessions/s1",
            "DELETE /api/users/u1/sessions/s2",
            "GET /api/users/u1/grants",
            "DELETE /api/users/u1/grants/g1",
            "DELETE /api/users/u1/grants/g2",
        ]
    );
    api.end_session("u1", "s1", RevokeGrants::default())
        .await
        .unwrap();
    assert_eq!(server.last_query().as_deref(), Some("revokeGrantsTarget=all"));
}

#[tokio::test]
async fn what_fails_keeps_nothing_else_signed_in() {
    let gone = signed_in("DELETE /api/users/u1/sessions/s1", 404, "oidc.session_not_found");
    let done = management(gone.clone()).sign_out_everywhere("u1").await.unwrap();
    assert_eq!((done.sessions, done.grants), (1, 2));

    let older = signed_in("GET /api/users/u1/grants", 404, "");
    let error = checked(management(older.clone()).sign_out_everywhere("u1").await).unwrap_err();
    assert_eq!(api_code(&error), &ApiCode::Other(String::new()));
    let asked = older.asked();
    assert!(asked.contains(&"DELETE /api/users/u1/sessions/s2".to_owned()));

    let broken = signed_in("DELETE /api/users/u1/sessions/s1", 500, "");
    let error = checked(management(broken.clone()).sign_out_everywhere("u1").await).unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let asked = broken.asked();
    for ended in ["sessions/s2", "grants/g1", "grants/g2"] {
        assert!(
            asked.contains(&format!("DELETE /api/users/u1/{ended}")),
            "{ended}"
        );
    }
}

/// An API that does not know the search lists everybody: nobody is taken for who was asked for.
#[tokio::test]
async fn nobody_is_found_in_place_of_another() {
    let server = Server::new(|request| match request.uri().path() {
        "/oidc/token" => token("t"),
        _ => (
            200,
            json!([{ "id": "u1", "primaryEmail": "eve@example.test", "primaryPhone": "1", "username": "eve" }]),
        ),
    });
    let api = management(server.clone());
    assert!(api.user_by_email("ada@example.test").await.unwrap().is_none());
    assert!(api.user_by_phone("14155550123").await.unwrap().is_none());
    assert!(api.user_by_username("ada").await.unwrap().is_none());
    assert!(api.user_by_username("eve").await.unwrap().is_some());
    let asked = server.requests();
    let error = checked(api.user_by_email("").await).unwrap_err();
    assert!(matches!(error, Error::Api(ApiError::EmptySearch)));
    for id in ["../sign-in-exp", "", "a/b", "a?b", "a%2fb"] {
        let error = checked(api.user(id).await).unwrap_err();
        assert!(matches!(error, Error::Api(ApiError::BadId)), "{id}");
    }
    assert_eq!(server.requests(), asked);
}

#[tokio::test]
async fn a_user_who_is_not_there_is_none_and_a_missing_api_is_an_error() {
    let server = Server::new(|request| match request.uri().path() {
        "/oidc/token" => token("t"),
        "/api/users/u1" => (200, json!({ "id": "u1", "isSuspended": false })),
        "/api/users/u1/is-suspended" => (200, json!({ "id": "u1", "isSuspended": true })),
        "/api/users/u2" => (404, json!({ "code": "entity.not_found" })),
        "/api/users/u3" => (502, json!("<html>bad gateway</html>")),
        _ => (404, json!("<html>must-not-leak</html>")),
    });
    let api = management(server.clone());
    assert!(!api.user("u1").await.unwrap().unwrap().is_suspended);
    assert!(api.set_suspended("u1", true).await.unwrap().is_suspended);
    assert!(api.user("u2").await.unwrap().is_none());
    let busy = checked(api.user("u3").await).unwrap_err();
    assert!(busy.is_retryable());
    let elsewhere = checked(api.user("u4").await).unwrap_err();
    assert_eq!(api_code(&elsewhere), &ApiCode::Other(String::new()));
    assert!(elsewhere.to_string().contains("no code"), "{elsewhere}");
}

#[test]
fn settings_that_can_not_work_are_refused() {
    let build = |endpoint: &str, id: &str, secret: &str| {
        let server = Server::new(|_| (200, json!({})));
        Management::builder(endpoint, id, secret).http(server).build()
    };
    for endpoint in [
        "tenant.logto.app",
        "http://tenant.logto.app",
        "https://tenant.logto.app/oidc",
        "https://tenant.logto.app/?a",
        "https://a:b@tenant.logto.app",
    ] {
        let error = checked(build(endpoint, "a", "b")).unwrap_err();
        assert!(matches!(error, Error::Api(ApiError::Endpoint)), "{endpoint}");
    }
    let error = build("https://tenant.logto.app", "", "b").unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::EmptyClientId)));
    let error = build("https://tenant.logto.app", "a", "").unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::EmptyClientSecret)));
    // The API of a cloud tenant has the tenant's name, any other the name of the default one.
    let printed = |endpoint: &str| format!("{:?}", build(endpoint, "a", "s-must-not-leak").unwrap());
    assert!(printed("https://tenant.logto.app").contains("https://tenant.logto.app/api"));
    assert!(printed("https://id.example").contains("https://default.logto.app/api"));
    assert!(!printed("https://id.example").contains("must-not-leak"));
    assert_eq!(format!("{:?}", Password::from("secret")), "[redacted]");
}
