//! The Account API, for who is signed in at the shop.

use std::time::Duration;

use keyback::logto::PasswordIssue;
use keyback::logto::account::{PasswordChange, PasswordVerification, Verification};
use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::*;
use crate::metrics::Scraped;

pub(crate) async fn sign_in(app: &TestApp) -> (Browser, Arc<keyback::Session>) {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    if browser.page().url.path() == "/consent" {
        let yes = browser.page().form_to("/consent").fill("answer", "allow");
        browser.submit(yes).await;
    }
    let session = app.site.session_of(&browser).unwrap();
    (browser, session)
}

pub(super) async fn verified(account: &keyback::logto::account::Account) -> Verification {
    match account.verify_password(OLD_PASSWORD).await.unwrap() {
        PasswordVerification::Right(verification) => verification,
        PasswordVerification::Wrong => panic!("it is right"),
    }
}

#[tokio::test]
async fn sr72_a_change_asks_for_the_current_password_and_ends_every_session() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (mut browser, session) = sign_in(&app).await;
    let (_, elsewhere) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let user = account.user().await.unwrap();
    assert_eq!((user.id.as_str(), user.has_password), (id.as_str(), Some(true)));
    assert_eq!(user.primary_email.as_deref(), Some(ADA));
    // The shop asked for no phone number.
    assert!(!user.more.contains_key("primaryPhone") && user.primary_phone.is_none());

    let wrong = account.verify_password(NEW_PASSWORD).await.unwrap();
    assert!(matches!(wrong, PasswordVerification::Wrong));
    assert_eq!(app.audited("current_password_wrong").await, 1);
    assert_eq!(Scraped::of(&app).await.refused("api", "wrong_password"), 1.0);
    assert_eq!(
        refusal(account.set_first_password(NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let verification = verified(&account).await;
    assert!(verification.expires_at().is_some());
    // Of this session alone.
    let other = app.site.client.account(&elsewhere).unwrap();
    assert_eq!(
        refusal(other.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let PasswordChange::Rejected(issues) = account.change_password(&verification, "short").await.unwrap()
    else {
        panic!("it is short")
    };
    assert!(issues.contains(&PasswordIssue::TooShort { min: Some(15) }));
    assert_eq!(
        account
            .change_password(&verification, OLD_PASSWORD)
            .await
            .unwrap(),
        PasswordChange::SameAsBefore
    );
    assert_eq!(
        account
            .change_password(&verification, NEW_PASSWORD)
            .await
            .unwrap(),
        PasswordChange::Changed
    );
    assert_eq!(app.audited("password_changed").await, 1);
    for ended in [&session, &elsewhere] {
        assert!(app.site.client.refresh(ended).await.is_err());
    }
    assert!(matches!(
        account.user().await,
        Err(Error::Api(ApiError::TokenRefused { .. }))
    ));
    assert!(
        app.letters_to(ADA).await[0]
            .subject
            .contains("password was changed")
    );
    browser.open("/account").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn a_verification_ends_with_its_time_and_with_its_password() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let verification = verified(&account).await;
    app.advance(Duration::from_secs(600));
    assert_eq!(
        refusal(account.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let verification = verified(&account).await;
    let phc = app
        .companion
        .hashing
        .hash(keyback_companion::hashing::Lane::SignIn, "another one of hers");
    let phc = phc.await.unwrap();
    sqlx::query("UPDATE credentials SET password_hash = $2 WHERE user_id = $1")
        .bind(&id)
        .bind(phc)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert_eq!(
        refusal(account.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
}

#[tokio::test]
async fn sr72_passwords_are_not_guessed_by_a_stolen_token() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    for _ in 0..20 {
        let wrong = account.verify_password(NEW_PASSWORD).await.unwrap();
        assert!(matches!(wrong, PasswordVerification::Wrong));
    }
    assert_eq!(
        refusal(account.verify_password(OLD_PASSWORD).await),
        ApiCode::TooManyAttempts
    );
}

#[tokio::test]
async fn apps_of_others_may_look_and_change_nothing_and_only_their_pages_read_it() {
    let app = TestApp::with(|config| config.apps[0].first_party = false).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    assert_eq!(account.user().await.unwrap().primary_email.as_deref(), Some(ADA));
    assert_eq!(
        refusal(account.verify_password(OLD_PASSWORD).await),
        ApiCode::ThirdPartyForbidden
    );

    let origin = app.site.url.origin().ascii_serialization();
    for (asking, may) in [(origin.as_str(), true), ("https://evil.example", false)] {
        let request = reqwest::Client::new()
            .get(app.url.join("/api/my-account").unwrap())
            .bearer_auth(session.access_token())
            .header(header::ORIGIN, asking);
        let answer = answer(request).await;
        assert_eq!(answer.status, StatusCode::OK);
        // Nothing of the account's state: no scope opens that.
        for state in ["hasPassword", "isSuspended", "createdAt", "lastSignInAt"] {
            assert!(answer.body.get(state).is_none(), "{state}");
        }
        assert_eq!(
            answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            may,
            "{asking}"
        );
        assert!(
            !answer
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
        );
    }
    let body = json!({ "password": OLD_PASSWORD });
    for (method, path, body) in [
        (Method::GET, "/api/my-account", Value::Null),
        (Method::POST, "/api/verifications/password", body.clone()),
        (Method::POST, "/api/my-account/password", body),
    ] {
        let refused = call(&app, "nobody-s", method, path, body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::UNAUTHORIZED, "auth.unauthorized")
        );
    }
}
