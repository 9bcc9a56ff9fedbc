//! An address that is changed over the Management API: what its owner can still do about it.

use std::time::Duration;

use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::journeys::frozen::{OWNERS_PASSWORD, PHONE, assert_stale, freeze, notice_to, reset, signs_in};

const THIEF: &str = "thief@evil.example";
const THREE_DAYS: Duration = Duration::from_secs(72 * 3_600);

/// Ada's account with an e-mail address and a phone number, a second old, and a token of the machine app.
async fn with_ada() -> (TestApp, String, String) {
    let app = with_backend(|_| {}).await;
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        phone: Some(PHONE.to_owned()),
        username: Some("ada".to_owned()),
        verified: true,
        ..NewUser::default()
    };
    let id = app.add(ada, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    let token = machine_token(&app, BACKEND).await;
    (app, id, token)
}

async fn patch(app: &TestApp, token: &str, id: &str, body: Value) {
    let path = format!("/api/users/{id}");
    let edited = call(app, token, Method::PATCH, &path, body).await;
    assert_eq!(edited.status, StatusCode::OK, "{edited:?}");
}

/// Whether a code comes to an address that asks for one.
async fn gets_a_code(app: &TestApp, address: &str) -> bool {
    let codes = async || {
        let letters = app.letters_to(address).await;
        letters.iter().filter(|letter| letter.code.is_some()).count()
    };
    let before = codes().await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    browser.assert_at("/forgot-password/code");
    codes().await > before
}

#[tokio::test]
async fn sr59_the_address_that_a_thief_has_replaced_freezes_and_takes_the_account_back() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (mailed, link) = notice_to(&app, ADA).await;
    let (texted, other) = notice_to(&app, PHONE).await;
    assert_eq!([mailed.kind, texted.kind], ["address-changed"; 2]);
    assert!(
        mailed
            .text
            .contains("e-mail address of your Larkspur Books account")
    );
    assert!(!mailed.text.contains(THIEF) && !texted.text.contains(THIEF));
    assert_ne!(link, other, "nobody uses up the link of another address");
    assert!(app.letters_to(THIEF).await.is_empty());
    assert_eq!(
        app.row_counts().await["freeze_links"],
        2,
        "no link that nobody gets"
    );
    assert!(
        !gets_a_code(&app, ADA).await,
        "it is not the account's, and nobody contests that"
    );

    freeze(&app, &link).await.assert_says("Choose a new password");
    assert_eq!(app.user(THIEF).await.status, AccountStatus::Frozen);
    assert!(!gets_a_code(&app, THIEF).await);
    reset(&app, ADA, OWNERS_PASSWORD).await;
    let user = app.user(ADA).await;
    assert_eq!(
        (user.id.as_str(), user.status),
        (id.as_str(), AccountStatus::Active)
    );
    assert!(user.email_verified && user.phone_verified);
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
    assert!(!gets_a_code(&app, THIEF).await, "the thief's address is gone");
    let told = app.letters_to(THIEF).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, "address-changed");
    assert!(
        told[0]
            .text
            .contains("this e-mail address opens your Larkspur Books"),
        "{}",
        told[0].text
    );
    assert!(!told[0].text.contains("not-me"), "the thief gets no link");
    // The owner's other address had one, of the change that is settled now.
    assert_stale(&app, &other).await;
}

#[tokio::test]
async fn sr59_an_address_that_is_no_more_serves_a_frozen_account_for_three_days() {
    let (app, id, token) = with_ada().await;
    let lost = json!({ "primaryPhone": null, "primaryEmail": THIEF });
    patch(&app, &token, &id, lost).await;
    let (_, link) = notice_to(&app, PHONE).await;
    app.advance(THREE_DAYS - Duration::from_secs(2));
    freeze(&app, &link).await.assert_says("Choose a new password");
    assert!(gets_a_code(&app, PHONE).await);
    app.advance(Duration::from_secs(2));
    assert!(!gets_a_code(&app, PHONE).await && !gets_a_code(&app, ADA).await);
    app.companion.sweep().await.unwrap();
    assert_eq!(app.row_counts().await["former_addresses"], 0);
}

/// Of the thief's changes none is a way back for the thief.
#[tokio::test]
async fn sr59_what_a_thief_brought_and_lost_again_thaws_nothing() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, link) = notice_to(&app, ADA).await;
    app.advance(Duration::from_secs(1));
    patch(
        &app,
        &token,
        &id,
        json!({ "primaryEmail": "second@evil.example" }),
    )
    .await;
    let (_, thiefs) = notice_to(&app, THIEF).await;
    freeze(&app, &link).await;
    assert!(!gets_a_code(&app, THIEF).await && !gets_a_code(&app, "second@evil.example").await);
    reset(&app, ADA, OWNERS_PASSWORD).await;
    // The link of the thief's own loss is settled with the change that was contested.
    assert_stale(&app, &thiefs).await;
    assert!(!gets_a_code(&app, THIEF).await);
    assert!(gets_a_code(&app, ADA).await);
}

/// Who has brought an address, and contests a later change of their own, thaws over it; and must not take the owner's link.
#[tokio::test]
async fn sr59_a_thaw_settles_no_change_of_before_the_one_it_was_about() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, owners) = notice_to(&app, ADA).await;
    app.advance(Duration::from_secs(60));
    reset(&app, THIEF, NEW_PASSWORD).await;
    let (_, thiefs) = notice_to(&app, THIEF).await;
    freeze(&app, &thiefs).await;
    app.advance(Duration::from_secs(60));
    reset(&app, THIEF, "nobody hears me at the door").await;
    assert_eq!(app.user(THIEF).await.status, AccountStatus::Active);
    freeze(&app, &owners).await.assert_says("Choose a new password");
    reset(&app, ADA, OWNERS_PASSWORD).await;
    assert_eq!(app.user(ADA).await.id, id);
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
}

/// A thief who has added a phone of theirs before gets a link for the change that took the owner's address, and thaws by it.
#[tokio::test]
async fn sr59_a_thaw_over_a_thiefs_other_address_leaves_the_owner_their_link() {
    let app = with_backend(|_| {}).await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let token = machine_token(&app, BACKEND).await;
    app.advance(Duration::from_secs(1));
    patch(&app, &token, &id, json!({ "primaryPhone": PHONE })).await;
    app.advance(Duration::from_secs(60));
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, owners) = notice_to(&app, ADA).await;
    let (_, thiefs) = notice_to(&app, PHONE).await;
    freeze(&app, &thiefs).await;
    app.advance(Duration::from_secs(60));
    reset(&app, PHONE, NEW_PASSWORD).await;
    assert_eq!(app.user(PHONE).await.status, AccountStatus::Active);
    freeze(&app, &owners).await.assert_says("Choose a new password");
    reset(&app, ADA, OWNERS_PASSWORD).await;
    assert_eq!(app.user(ADA).await.id, id);
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
}

/// Somebody else may have the old mailbox: whose new address it is must hear of it, whoever ends the freeze.
#[tokio::test]
async fn sr59_an_address_that_is_trusted_no_more_is_told_when_support_ends_the_freeze() {
    for suspended in [true, false] {
        let (app, id, token) = with_ada().await;
        patch(
            &app,
            &token,
            &id,
            json!({ "primaryEmail": THIEF, "primaryPhone": null }),
        )
        .await;
        let (_, link) = notice_to(&app, ADA).await;
        freeze(&app, &link).await;
        let path = format!("/api/users/{id}/is-suspended");
        let body = json!({ "isSuspended": suspended });
        let set = call(&app, &token, Method::PATCH, &path, body).await;
        assert_eq!(set.status, StatusCode::OK);
        let told = app.letters_to(THIEF).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].text.contains("opens your Larkspur Books"));
        assert!(!told[0].text.contains("not-me"));
        // Once: what is settled is not told again.
        call(
            &app,
            &token,
            Method::PATCH,
            &path,
            json!({ "isSuspended": false }),
        )
        .await;
        assert_eq!(app.letters_to(THIEF).await.len(), 1);
    }
}

/// A nuisance is all that a thief can make of the notice that the change was taken back: the owner thaws, the thief doesn't.
#[tokio::test]
async fn sr59_a_thief_can_not_contest_the_repair() {
    for repaired in [ADA, "ada@new.example"] {
        let (app, id, token) = with_ada().await;
        patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
        app.advance(Duration::from_secs(60));
        patch(&app, &token, &id, json!({ "primaryEmail": repaired })).await;
        let (_, link) = notice_to(&app, THIEF).await;
        freeze(&app, &link).await.assert_says("Choose a new password");
        assert!(!gets_a_code(&app, THIEF).await, "{repaired}");
        assert!(
            gets_a_code(&app, ADA).await && gets_a_code(&app, PHONE).await,
            "{repaired}"
        );
        reset(&app, ADA, OWNERS_PASSWORD).await;
        assert_eq!(app.user(ADA).await.status, AccountStatus::Active);
        assert!(signs_in(&app, OWNERS_PASSWORD).await);
    }
}

#[tokio::test]
async fn sr59_an_address_that_somebody_else_has_by_now_serves_them_alone() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, link) = notice_to(&app, ADA).await;
    let bea = app.add_user(ADA, Some(NEW_PASSWORD)).await;
    freeze(&app, &link).await;
    reset(&app, ADA, OWNERS_PASSWORD).await;
    assert_eq!(app.user(ADA).await.id, bea);
    assert_eq!(app.user(THIEF).await.status, AccountStatus::Frozen);
    reset(&app, PHONE, OWNERS_PASSWORD).await;
    let user = app.user(PHONE).await;
    assert_eq!((user.status, user.email_verified), (AccountStatus::Active, false));
}

/// The operator's word ends a freeze: what was set after it stays, and what came before it is trusted no more.
#[tokio::test]
async fn sr59_what_the_operator_sets_after_the_freeze_outlives_the_thaw() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, link) = notice_to(&app, ADA).await;
    freeze(&app, &link).await;
    app.advance(Duration::from_secs(1));
    let api = management(&app);
    patch(&app, &token, &id, json!({ "primaryEmail": "ada@new.example" })).await;
    assert!(app.letters_to(THIEF).await.is_empty(), "no link for the thief");
    api.set_password_unchecked(&id, NEW_PASSWORD).await.unwrap();
    assert!(!api.set_suspended(&id, false).await.unwrap().is_suspended);
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in("ada", NEW_PASSWORD).await;
    browser.assert_at("/account");
    assert!(gets_a_code(&app, "ada@new.example").await);
    assert!(
        !gets_a_code(&app, ADA).await,
        "no former address outlives the operator's word"
    );
    assert_eq!(app.row_counts().await["freeze_links"], 0, "nor does a link");

    // Without a word of the operator's on either, neither the thief's address nor a password of before serves.
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "primaryEmail": THIEF })).await;
    let (_, link) = notice_to(&app, ADA).await;
    freeze(&app, &link).await;
    assert!(
        !management(&app)
            .set_suspended(&id, false)
            .await
            .unwrap()
            .is_suspended
    );
    assert_eq!(app.password_hash(&id).await, None);
    assert!(!gets_a_code(&app, THIEF).await);
    assert!(gets_a_code(&app, PHONE).await);
}

/// What nobody contests changes nothing and tells nobody.
#[tokio::test]
async fn sr59_an_edit_that_keeps_the_addresses_sends_no_notice() {
    let (app, id, token) = with_ada().await;
    patch(&app, &token, &id, json!({ "name": "Ada", "primaryEmail": ADA })).await;
    assert!(app.letters_to(ADA).await.is_empty());
    let rows = app.row_counts().await;
    assert_eq!((rows["freeze_links"], rows["former_addresses"]), (0, 0));
}
