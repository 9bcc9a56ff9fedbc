//! Whoever asks learns nothing about whether there is an account.

use std::time::Duration;

use keyback_companion::config::duration::Span;
use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Browser, OLD_PASSWORD, Page, SmtpManner, SmtpSink, TestApp, eventually};

use super::codes::wrong;
use crate::smtp::over_smtp;

const NOBODY: &str = "bob@example.com";
const DISABLED: &str = "eve@example.com";
const UNVERIFIED: &str = "una@example.com";
const PASSWORDLESS: &str = "pat@example.com";

/// What an answer shows, with what is random in every one made equal.
fn shown(page: &Page, address: &str) -> (u16, Vec<(String, String)>, String) {
    let blank = |text: &str| {
        let mut text = text.replace(address, "ADDRESS");
        for (name, value) in page.url.query_pairs() {
            text = text.replace(&*value, &format!("[{name}:{}]", value.len()));
        }
        // The challenge's id stands in the form alone.
        if let Some((before, after)) = text.split_once("&#38;c=") {
            let (id, after) = after.split_once('"').unwrap();
            text = format!("{before}&c=[{}]\"{after}", id.len());
        }
        text
    };
    let headers = page.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().len()));
    let mut headers: Vec<_> = headers.map(|(name, length)| (name, length.to_string())).collect();
    headers.sort();
    (page.status, headers, blank(&page.body))
}

async fn answers(app: &TestApp, address: &str) -> Vec<(u16, Vec<(String, String)>, String)> {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    let form = browser.page().form_with("identifier").fill("identifier", address);
    let posted = browser.post_once(&form).await;
    let mut answers = vec![(posted.status, Vec::new(), posted.body.clone())];
    browser.ask_reset(address).await;
    answers.push(shown(browser.page(), address));
    all_taken(app).await;
    // "000000" is right once in a million runs for who has an account.
    for _ in 0..5 {
        browser.enter_code("000000").await;
        answers.push(shown(browser.page(), address));
    }
    browser.reload().await;
    answers.push(shown(browser.page(), address));
    answers
}

/// Waits until the worker has begun every job, whatever comes of it.
async fn all_taken(app: &TestApp) {
    eventually("every job to be taken", async || {
        let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE attempts = 0")
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
        (waiting == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn sr01_sr26_known_unknown_disabled_and_unverified_addresses_are_answered_alike() {
    let app = TestApp::start().await;
    assert_answered_alike(&app).await;
    // SR-4: nothing leaves for whoever may not reset.
    for silent in [NOBODY, DISABLED, UNVERIFIED] {
        assert!(app.letters_to(silent).await.is_empty(), "{silent}");
    }
    assert_eq!(app.letters_to(ADA).await.len(), 2);
    assert_eq!(app.letters_to(PASSWORDLESS).await.len(), 2);
}

/// SR-34: and so they are while the mail server is slow, refuses everything or some, or hangs.
#[tokio::test]
async fn sr01_they_are_answered_alike_whatever_the_mail_server_does() {
    for manner in [
        SmtpManner::Takes,
        SmtpManner::Slow(Duration::from_millis(200)),
        SmtpManner::Refuses("421 4.3.2 closed for today"),
        SmtpManner::RefusesRecipients("550 5.1.1 nobody here"),
        SmtpManner::Hangs,
    ] {
        let sink = SmtpSink::in_manner(manner).await;
        let app = TestApp::with(|config| {
            over_smtp(config, sink.address);
            // Five in vain, and nobody is tried any more: here each is.
            config.email.timeout = Span::seconds(60);
        })
        .await;
        assert_answered_alike(&app).await;
        for mail in sink.mails() {
            assert!(
                [ADA, PASSWORDLESS].contains(&mail.to[0].as_str()),
                "{manner:?}: {mail:?}"
            );
        }
    }
}

/// With an account in each state.
async fn assert_answered_alike(app: &TestApp) {
    // All of one length, so that pages can be compared byte by byte.
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let id = app.add_user(DISABLED, Some(OLD_PASSWORD)).await;
    app.set_status(&id, AccountStatus::Disabled).await;
    let user = NewUser {
        email: Some(UNVERIFIED.to_owned()),
        ..NewUser::default()
    };
    app.add(user, Some(OLD_PASSWORD)).await;
    app.add_user(PASSWORDLESS, None).await;
    let known = answers(app, ADA).await;
    for other in [NOBODY, DISABLED, UNVERIFIED, PASSWORDLESS] {
        for (theirs, known) in answers(app, other).await.into_iter().zip(&known) {
            assert_eq!(theirs, *known, "{other}");
        }
    }
}

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
