//! People whose accounts came from another system, with the passwords they had there.

use std::io::Cursor;
use std::sync::Arc;

use keyback_companion::import::{self, Format, Options, Outcome, Rules};
use keyback_companion::store::credentials;
use keyback_core::random::SystemRandom;
use keyback_tests::{NEW_PASSWORD, OLD_PASSWORD, TestApp, eventually};

/// What libxcrypt and Python's hashlib made of [`OLD_PASSWORD`].
pub(crate) const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuE/CMYJ/nB6WDTO9hhfnzB0Rmg6wgsGy";
pub(crate) const DJANGO: &str = "pbkdf2_sha256$1000$saltsalt$tXdyPftTXALz+CINn2xkwoQuGZxGfLvjgItrboYiDnY=";

async fn import(app: &TestApp, file: String) {
    let options = Options {
        format: Format::Json,
        rules: Rules {
            verified: true,
            ..Rules::default()
        },
        dry_run: false,
        skip_existing: false,
        commit_every: None,
    };
    let (store, now) = (&app.companion.store, app.companion.clock.now());
    let report = import::run(store, Cursor::new(file), options, Arc::new(SystemRandom), now)
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Written, "{report:?}");
}

async fn hash_of(app: &TestApp, id: &str) -> String {
    let stored = credentials::find_password_hash(app.companion.store.reader(), id).await;
    stored.unwrap().unwrap()
}

#[tokio::test]
async fn sr51_a_slow_hash_of_another_system_signs_in_and_is_replaced_at_the_first_sign_in() {
    let app = TestApp::start().await;
    import(
        &app,
        format!(
            "{{\"id\":\"bea\",\"email\":\"bea@example.com\",\"password_hash\":\"{BCRYPT}\"}}\n\
             {{\"id\":\"cid\",\"email\":\"cid@example.com\",\"password_hash\":\"{DJANGO}\"}}\n"
        ),
    )
    .await;
    for id in ["bea", "cid"] {
        let email = format!("{id}@example.com");
        let before = hash_of(&app, id).await;
        let mut browser = app.browser();
        browser.open("/sign-in").await;
        browser.sign_in(&email, "not their password at all").await;
        browser.assert_status(422);
        assert_eq!(
            hash_of(&app, id).await,
            before,
            "a wrong password changes nothing"
        );
        browser.sign_in(&email, OLD_PASSWORD).await;
        browser.assert_at("/account");
        eventually("the hash to be replaced", async || {
            hash_of(&app, id).await.starts_with("$argon2id$").then_some(())
        })
        .await;
        let mut again = app.browser();
        again.open("/sign-in").await;
        again.sign_in(&email, OLD_PASSWORD).await;
        again.assert_at("/account");
    }
}

/// The first to come writes the hash anew, while the others have checked the old one.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_at_once_with_a_hash_of_another_system_is_signed_in() {
    let app = TestApp::start().await;
    let ann = format!("{{\"id\":\"ann\",\"email\":\"ann@example.com\",\"password_hash\":\"{DJANGO}\"}}");
    import(&app, ann).await;
    let mut browsers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut browser = app.browser();
        browser.open("/sign-in").await;
        browsers.spawn(async move {
            browser.sign_in("ann@example.com", OLD_PASSWORD).await;
            browser.page().url.path().to_owned()
        });
    }
    assert_eq!(browsers.join_all().await, ["/account"; 8]);
    assert!(hash_of(&app, "ann").await.starts_with("$argon2id$"));
}

#[tokio::test]
async fn an_account_that_came_without_a_password_gets_its_first_one_by_a_reset() {
    let app = TestApp::start().await;
    let dan =
        r#"{"id":"dan","primaryEmail":"dan@example.com","isSuspended":false,"customData":{},"profile":{}}"#;
    import(&app, dan.to_owned()).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset("dan@example.com").await;
    browser
        .enter_code(&app.last_code_for("dan@example.com").await)
        .await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in("dan@example.com", NEW_PASSWORD).await;
    browser.assert_at("/account");
}
