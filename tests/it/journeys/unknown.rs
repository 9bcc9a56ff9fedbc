//! Whoever asks learns nothing about whether there is an account.

use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};

use super::codes::wrong;

const NOBODY: &str = "bob@example.com";

#[tokio::test]
async fn sr15_a_phone_number_that_was_never_verified_gets_no_code() {
    let app = TestApp::start().await;
    let (verified, unverified) = ("+14155550123", "+14155550177");
    for (number, verified) in [(verified, true), (unverified, false)] {
        let user = NewUser {
            phone: Some(number.to_owned()),
            verified,
            ..NewUser::default()
        };
        app.add(user, Some(OLD_PASSWORD)).await;
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(number).await;
        browser.assert_at("/forgot-password/code");
    }
    app.settle().await;
    assert_eq!(app.letters_to(verified).await.len(), 1);
    assert!(app.letters_to(unverified).await.is_empty());
}

/// Opens the payload of the job that was never taken, to know the code of a decoy.
async fn code_of_the_waiting_job(app: &TestApp) -> String {
    use keyback_companion::outbox::SendCode;
    use keyback_companion::store::jobs::Job;
    let job: Job = sqlx::query_as("SELECT id, kind, lane, payload, attempts, expires_at FROM jobs")
        .fetch_one(app.companion.store.reader())
        .await
        .unwrap();
    let order: SendCode = app.companion.outbox.open(&job).unwrap();
    order.code.to_string()
}

/// Begins a flow whose job no worker takes: the mail is never sent, but the code is known.
async fn begun_with_known_code(app: &TestApp, browser: &mut Browser, address: &str) -> String {
    // A trigger is faster than any worker: the job is leased to nobody as soon as it is written.
    sqlx::query(
        "CREATE TRIGGER hold AFTER INSERT ON jobs BEGIN UPDATE jobs SET run_at = run_at + 1 WHERE id = NEW.id; END",
    )
    .execute(app.companion.store.writer())
    .await
    .unwrap();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    let code = code_of_the_waiting_job(app).await;
    sqlx::query("DROP TRIGGER hold")
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    code
}

#[tokio::test]
async fn sr26_even_the_code_that_was_drawn_for_an_unknown_address_is_wrong() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let code = begun_with_known_code(&app, &mut browser, NOBODY).await;
    browser.enter_code(&code).await;
    browser.assert_status(422);
    browser.assert_says("That code doesn’t match. 4 tries left.");
    app.advance(std::time::Duration::from_millis(1));
    app.settle().await;
    browser.enter_code(&code).await;
    browser.assert_says("That code doesn’t match. 3 tries left.");
    assert_eq!(app.challenges().await[0].subject, None);
}

#[tokio::test]
async fn a_code_is_right_only_once_the_worker_has_found_the_account() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    let code = begun_with_known_code(&app, &mut browser, ADA).await;
    app.advance(std::time::Duration::from_millis(1));
    assert_eq!(app.last_code_for(ADA).await, code);
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr09_asking_for_a_reset_changes_nothing_on_the_account() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut owner = app.browser();
    owner.open("/sign-in").await;
    owner.sign_in(ADA, OLD_PASSWORD).await;
    let mut stranger = app.browser();
    stranger.open("/forgot-password").await;
    stranger.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    for _ in 0..5 {
        stranger.enter_code(&wrong(&code)).await;
    }
    owner.open("/account").await;
    owner.assert_at("/account");
    let mut elsewhere = app.browser();
    elsewhere.open("/sign-in").await;
    elsewhere.sign_in(ADA, OLD_PASSWORD).await;
    elsewhere.assert_at("/account");
}

#[tokio::test]
async fn an_account_that_is_disabled_meanwhile_gets_no_new_password() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let before = app.password_hash(&id).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    app.set_status(&id, AccountStatus::Disabled).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    assert_ne!(browser.page().url.path(), "/forgot-password/done");
    assert!(browser.page().status < 500);
    assert_eq!(app.password_hash(&id).await, before);
}

#[tokio::test]
async fn an_address_that_no_connector_reaches_is_told_like_one_that_is_none() {
    let app = TestApp::with(|config| config.sms.connector = None).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.assert_says("Enter your e-mail address, and we’ll send you a code.");
    browser.ask_reset("+14155550123").await;
    browser.assert_status(422);
    browser.assert_says("That doesn’t look like an e-mail address.");
}
