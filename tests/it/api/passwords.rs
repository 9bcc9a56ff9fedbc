//! Passwords over the Management API: where Logto's knows no policy and ends nothing, this one does.

use keyback::logto::PasswordIssue;
use keyback::logto::management::PasswordCheck;
use keyback_companion::config::webhook::WebhookEvent;
use keyback_tests::{ADA, Behaviour, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::metrics::Scraped;
use crate::webhooks::hook;

#[tokio::test]
async fn sr73_a_password_that_is_set_ends_what_the_old_one_had_opened_and_tells_of_it() {
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = with_backend(|config| {
        config.webhooks = vec![hook(&peer, &WebhookEvent::ALL)];
    })
    .await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    // A reset is under way.
    let mut stranger = app.browser();
    stranger.open("/reset-password?client_id=shop").await;
    stranger.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;

    let user = api.set_password_unchecked(&id, NEW_PASSWORD).await.unwrap();
    assert_eq!((user.id.as_str(), user.has_password), (id.as_str(), Some(true)));
    assert!(app.site.client.refresh(&session).await.is_err());
    assert!(app.site.client.user_info(&session).await.is_err());
    browser.open("/account").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
    stranger.enter_code(&code).await;
    stranger.assert_at("/forgot-password/code");

    // The owner is told by mail, others by webhook: an account was changed, and no reset took place.
    let letters = app.letters_to(ADA).await;
    assert!(
        letters[0].subject.contains("password was changed"),
        "{}",
        letters[0].subject
    );
    let asked = eventually("the delivery", async || {
        Some(peer.asked()).filter(|all| !all.is_empty())
    })
    .await;
    assert_eq!(asked.len(), 1);
    let told: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(told["event"], "User.Data.Updated");
    assert_eq!(told["matchedRoute"], "/users/:userId/password");
    assert_eq!(told["params"], json!({ "userId": id }));
    assert!(!asked[0].body.contains(NEW_PASSWORD));
    let (actor, client_id): (String, String) =
        sqlx::query_as("SELECT actor, client_id FROM audit WHERE event = 'password_set_by_app'")
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
    assert_eq!((actor.as_str(), client_id.as_str()), ("app", BACKEND));
}

#[tokio::test]
async fn sr44_the_policy_holds_for_operators_too() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let hash = app.password_hash(&id).await;
    for weak in ["a", "ada@example.com", &"long ".repeat(60)] {
        assert_eq!(
            refusal(api.set_password_unchecked(&id, weak).await),
            ApiCode::PasswordRejected,
            "{weak}"
        );
    }
    assert_eq!(
        refusal(api.set_password_unchecked(&id, OLD_PASSWORD).await),
        ApiCode::SamePassword
    );
    assert_eq!(
        refusal(api.set_password_unchecked("nobody", NEW_PASSWORD).await),
        ApiCode::NotFound
    );
    assert_eq!(app.password_hash(&id).await, hash);
    assert_eq!(app.audited("password_set_by_app").await, 0);

    let PasswordCheck::Rejected(issues) = api.check_password("short", Some(&id)).await.unwrap() else {
        panic!("it is short")
    };
    assert!(
        issues.contains(&PasswordIssue::TooShort { min: Some(15) }),
        "{issues:?}"
    );
    let PasswordCheck::Rejected(issues) = api.check_password("ada@example.com", Some(&id)).await.unwrap()
    else {
        panic!("it is her address")
    };
    assert!(issues.contains(&PasswordIssue::UserInfo), "{issues:?}");
    let long = "long ".repeat(60);
    let PasswordCheck::Rejected(issues) = api.check_password(long, None).await.unwrap() else {
        panic!("it is long")
    };
    assert_eq!(issues, [PasswordIssue::TooLong { max: Some(256) }]);
    for good in [NEW_PASSWORD, OLD_PASSWORD] {
        let checked = api.check_password(good, Some(&id)).await.unwrap();
        assert_eq!(
            checked,
            PasswordCheck::Accepted,
            "whether it is her own is not told"
        );
    }
    assert_eq!(
        refusal(api.check_password(NEW_PASSWORD, Some("nobody")).await),
        ApiCode::NotFound
    );
}

#[tokio::test]
async fn sr20_a_password_is_verified_and_cannot_be_guessed() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    assert!(api.has_password(&id).await.unwrap());
    let other = app.add_user("bob@example.com", None).await;
    assert!(!api.has_password(&other).await.unwrap());
    assert!(api.is_password(&id, OLD_PASSWORD).await.unwrap());
    assert!(!api.is_password(&other, OLD_PASSWORD).await.unwrap());
    let mut tries = 1;
    while tries < 30 {
        match api.is_password(&id, NEW_PASSWORD).await {
            Ok(is_it) => assert!(!is_it),
            Err(error) => {
                let Error::Api(ApiError::Refused { status, code, .. }) = error else {
                    panic!("{error:?}")
                };
                assert_eq!(
                    (status, code),
                    (StatusCode::TOO_MANY_REQUESTS.as_u16(), ApiCode::TooManyAttempts)
                );
                break;
            }
        }
        tries += 1;
    }
    assert_eq!(tries, 20);
    assert!(
        api.is_password(&id, OLD_PASSWORD).await.is_err(),
        "nor is the right one told"
    );
    // Each wrong one stands in the audit trail, and none is taken from the tries that the person has on the own page.
    assert_eq!(app.audited("password_verification_failed").await, 20);
    let told = Scraped::of(&app).await;
    assert_eq!(told.refused("api", "wrong_password"), 20.0);
    assert_eq!(told.refused("api", "limit"), 2.0);
    let mut browser = app.browser();
    browser.open("/account/password").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_says("Password changed");

    api.set_password_expired(&id, false).await.unwrap();
    assert_eq!(
        refusal(api.set_password_expired(&id, true).await),
        ApiCode::PasswordExpirationOff
    );
}
