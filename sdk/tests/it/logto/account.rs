//! The Account API, as a running Logto answered.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyback::logto::account::{Account, CodeVerification, PasswordChange, PasswordVerification};
use keyback::logto::{CodeRefusal, PasswordIssue, Recipient, RevokeGrants};
use keyback::{ApiCode, ApiError, Client, Error, Remedy};
use serde_json::{Value, json};

use super::replay::Replay;
use super::server::Server;
use crate::provider::{ACCESS_TOKEN, CLIENT_ID, ISSUER, REDIRECT_URI, World, checked};

/// The account of who has signed in, over another transport.
async fn account(http: Arc<dyn keyback::HttpTransport>) -> Account {
    let session = World::new().sign_in().await.unwrap();
    let client = Client::builder(ISSUER, CLIENT_ID)
        .redirect_uri(REDIRECT_URI)
        .http(http)
        .build()
        .unwrap();
    client.account(&session).unwrap()
}

async fn right(account: &Account) -> keyback::logto::account::Verification {
    match account.verify_password("Correct-Horse-9-battery").await.unwrap() {
        PasswordVerification::Right(verification) => verification,
        PasswordVerification::Wrong => panic!("the password is right"),
    }
}

#[tokio::test]
async fn a_password_is_changed_after_the_old_one_was_given() {
    let replay = Replay::account(&[
        "get",
        "verify wrong pw",
        "verify pw",
        "change weak",
        "change pwned",
        "change same",
        "change good",
        "reuse vid",
    ]);
    let account = account(replay.clone()).await;
    let user = account.user().await.unwrap();
    assert_eq!(
        (user.username.as_deref(), user.has_password),
        (Some("alice"), Some(true))
    );
    assert_eq!(
        replay.last_header("authorization"),
        Some(format!("Bearer {ACCESS_TOKEN}"))
    );

    let wrong = account.verify_password("wrong".to_owned()).await.unwrap();
    assert!(matches!(wrong, PasswordVerification::Wrong));
    let verification = right(&account).await;
    let expected: SystemTime = UNIX_EPOCH + Duration::from_millis(1_795_440_128_553);
    assert_eq!(verification.expires_at(), Some(expected));

    let weak = account.change_password(&verification, "abc").await.unwrap();
    let issues = vec![PasswordIssue::TooShort { min: Some(8) }, PasswordIssue::Sequence];
    assert_eq!(weak, PasswordChange::Rejected(issues));
    assert_eq!(
        replay.last_header("logto-verification-id").as_deref(),
        Some("qt7x3ud16mvwnrzy8g4zf")
    );
    let pwned = account.change_password(&verification, "Pwned-Passw0rd-1").await;
    assert_eq!(
        pwned.unwrap(),
        PasswordChange::Rejected(vec![PasswordIssue::Pwned])
    );
    let same = account
        .change_password(&verification, "Correct-Horse-9-battery")
        .await;
    assert_eq!(same.unwrap(), PasswordChange::SameAsBefore);
    for new in ["Acct-Horse-13-battery", "Acct-Horse-14-battery"] {
        let changed = account.change_password(&verification, new).await.unwrap();
        assert_eq!(changed, PasswordChange::Changed);
    }
    assert!(replay.is_over());
}

#[tokio::test]
async fn a_code_verifies_as_well() {
    let replay = Replay::account(&[
        "verify by email code: send",
        "verify by email code: wrong",
        "verify by email code: good",
        "change with email vid",
    ]);
    let account = account(replay.clone()).await;
    let sent = account
        .send_code(Recipient::Email("alice@example.test".to_owned()))
        .await
        .unwrap();
    assert!(sent.expires_at().is_some());
    let wrong = account.verify_code(&sent, "000000").await.unwrap();
    assert!(matches!(wrong, CodeVerification::Refused(CodeRefusal::Wrong)));
    let CodeVerification::Right(verification) = account.verify_code(&sent, "510626").await.unwrap() else {
        panic!("the code is right")
    };
    let changed = account
        .change_password(&verification, "Acct-Horse-15-battery")
        .await;
    assert_eq!(changed.unwrap(), PasswordChange::Changed);
    assert!(replay.is_over());
    assert!(!format!("{sent:?}{verification:?}").contains("b3r8pwqsnoqefsimb9e0h"));
    assert!(!format!("{sent:?}").contains("alice"));
}

#[tokio::test]
async fn what_logto_refuses_is_an_error_with_its_code() {
    let replay = Replay::account(&[
        "change w/o verification",
        "verify pw",
        "change bad vid",
        "get bad token",
    ]);
    let account = account(replay.clone()).await;
    let no_verification = checked(account.set_first_password("Acct-Horse-13-battery").await).unwrap_err();
    assert_eq!(replay.last_header("logto-verification-id"), None);
    let verification = right(&account).await;
    let expired = account
        .change_password(&verification, "Acct-Horse-13-battery")
        .await;
    for error in [no_verification, checked(expired).unwrap_err()] {
        let Error::Api(refused) = &error else {
            panic!("{error}")
        };
        assert_eq!(refused.api_code(), Some(&ApiCode::VerificationRequired));
        assert_eq!(error.remedy(), Remedy::SignInAgain);
    }
    let refused = checked(account.user().await).unwrap_err();
    assert!(
        matches!(refused, Error::Api(ApiError::TokenRefused { .. })),
        "{refused}"
    );
    assert_eq!(refused.code(), "api.token_refused");
}

#[tokio::test]
async fn sessions_and_grants_are_listed_and_ended() {
    let server = Server::new(
        |request| match (request.method().as_str(), request.uri().path()) {
            ("POST", "/api/verifications/password") => (201, json!({ "verificationRecordId": "v1" })),
            ("GET", "/api/my-account/sessions") => (
                200,
                json!({ "sessions": [{
                "payload": { "uid": "s1", "loginTs": 1_795_439_416, "authorizations": { "app-1": {} } },
                "lastSubmission": { "signInContext": { "ip": "192.0.2.7", "userAgent": "Browser/1" } },
                "clientId": "app-1", "expiresAt": 1_796_649_016_347_u64, "isCurrent": true,
            }, { "payload": { "uid": "s2" }, "lastSubmission": null, "expiresAt": 0 }] }),
            ),
            ("GET", "/api/my-account/grants") => (
                200,
                json!({ "grants": [{ "id": "g1", "payload": { "clientId": "app-1" }, "expiresAt": 1_796_649_016_347_u64 }] }),
            ),
            ("DELETE", "/api/my-account/sessions/s1" | "/api/my-account/grants/g1") => (204, Value::Null),
            _ => (404, json!({ "code": "oidc.session_not_found" })),
        },
    );
    let account = account(server.clone()).await;
    let verification = right(&account).await;
    let sessions = account.sessions(&verification).await.unwrap();
    let [current, other] = sessions.as_slice() else {
        panic!("{sessions:?}")
    };
    assert_eq!((current.id.as_str(), current.is_current), ("s1", Some(true)));
    assert_eq!(current.apps, ["app-1"]);
    assert_eq!(current.ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(
        current.signed_in_at,
        Some(UNIX_EPOCH + Duration::from_secs(1_795_439_416))
    );
    assert_eq!(
        (other.id.as_str(), other.is_current, other.ip.as_deref()),
        ("s2", None, None)
    );
    assert!(!format!("{current:?}").contains("192.0.2.7"));

    account
        .end_session(&verification, "s1", RevokeGrants::FirstParty)
        .await
        .unwrap();
    assert_eq!(
        server.last_query().as_deref(),
        Some("revokeGrantsTarget=firstParty")
    );
    let grants = account.grants(&verification).await.unwrap();
    assert_eq!(
        (grants[0].id.as_str(), grants[0].client_id.as_deref()),
        ("g1", Some("app-1"))
    );
    account.revoke_grant(&verification, "g1").await.unwrap();
    let gone = checked(account.end_session(&verification, "s9", RevokeGrants::None).await).unwrap_err();
    assert_eq!(server.last_query(), None);
    assert!(matches!(
        gone,
        Error::Api(ApiError::Refused {
            status: 404,
            code: ApiCode::SessionNotFound,
            ..
        })
    ));

    // An id that would lead elsewhere goes nowhere.
    let asked = server.requests();
    for id in [
        "",
        ".",
        "..",
        "s1/../../users",
        "s1?revokeGrantsTarget=all",
        "s 1",
        "é",
        &"a".repeat(129),
    ] {
        let error = account
            .end_session(&verification, id, RevokeGrants::All)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Api(ApiError::BadId)), "{id}: {error}");
    }
    assert_eq!(server.requests(), asked);
}

#[tokio::test]
async fn a_provider_of_another_form_has_no_account_api() {
    let session = World::new().sign_in().await.unwrap();
    for issuer in [
        "https://id.example",
        "https://id.example/oidc/",
        "https://id.example/realms/oidc",
    ] {
        let client = Client::builder(issuer, CLIENT_ID)
            .redirect_uri(REDIRECT_URI)
            .http(Server::new(|_| (200, json!({}))))
            .build()
            .unwrap();
        let error = checked(client.account(&session)).unwrap_err();
        assert!(matches!(error, Error::Api(ApiError::NotLogto)), "{issuer}");
    }
}
