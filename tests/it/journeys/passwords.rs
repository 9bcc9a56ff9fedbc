//! New passwords that break the policy.

use keyback_companion::store::credentials;
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, TestApp};

use super::awaiting_password;

#[tokio::test]
async fn sr43_the_policy_is_stated_beforehand_and_password_managers_can_read_it() {
    let (_app, browser) = awaiting_password().await;
    browser.assert_says("At least 15 characters");
    browser.assert_says("Not a common password");
    browser.assert_says("Without your name, e-mail or phone number");
    let field = |attribute: &str| browser.page().field("password", attribute);
    assert_eq!(field("type").as_deref(), Some("password"));
    assert_eq!(field("autocomplete").as_deref(), Some("new-password"));
    assert!(field("passwordrules").unwrap().contains("minlength: 15"));
    assert_eq!(
        field("maxlength"),
        None,
        "a pasted password would be cut in silence"
    );
}

#[tokio::test]
async fn sr46_every_broken_rule_is_named_at_once_and_the_proof_is_kept() {
    let (app, mut browser) = awaiting_password().await;
    browser.choose_password("ada1234").await;
    browser.assert_status(422);
    browser.assert_at("/forgot-password/password");
    browser.assert_says("That password can’t be used. What to change is marked below.");
    let broken = browser.page().texts_with_class("li", "bad");
    for rule in [
        "At least 15 characters",
        "No runs such as “1234” or “qwerty”",
        "Without your name, e-mail or phone number",
    ] {
        assert!(
            broken.iter().any(|line| line.contains(rule)),
            "{rule:?} is not marked: {broken:?}"
        );
    }
    for weak in ["password password", "Larkspur Books!", ""] {
        browser.choose_password(weak).await;
        assert_eq!(browser.page().status, 422, "{weak:?} is no good password");
        assert!(
            !browser.page().texts_with_class("li", "bad").is_empty(),
            "{weak:?}"
        );
    }
    assert!(app.audited("password_rejected").await >= 3);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

#[tokio::test]
async fn sr45_the_forgotten_password_is_told_as_what_it_is_and_the_way_to_sign_in_is_shown() {
    let (app, mut browser) = awaiting_password().await;
    browser.assert_says("Not your current password");
    browser.choose_password(OLD_PASSWORD).await;
    browser.assert_status(422);
    browser.assert_says("That is the password you have now.");
    let broken = browser.page().texts_with_class("li", "bad");
    assert_eq!(broken, ["Not met: Not your current password"]);
    assert_eq!(app.audited("password_rejected").await, 1);
    let mut remembers = browser.clone();
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    // Who takes the other way is on the sign-in page, with the address typed already.
    remembers.click("Sign in with it").await;
    remembers.assert_at("/sign-in");
    assert_eq!(
        remembers.page().field("identifier", "value").as_deref(),
        Some(ADA)
    );
}

#[tokio::test]
async fn sr45_who_has_no_password_yet_or_one_that_nothing_can_read_gets_one_all_the_same() {
    let app = TestApp::start().await;
    for (address, stored) in [("bea@example.com", None), ("cid@example.com", Some("$nonsense$"))] {
        let id = app.add_user(address, None).await;
        if let Some(phc) = stored {
            credentials::save_password_hash(app.companion.store.writer(), &id, phc, app.clock.now())
                .await
                .unwrap();
        }
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(address).await;
        browser.enter_code(&app.last_code_for(address).await).await;
        browser.choose_password(NEW_PASSWORD).await;
        browser.assert_at("/forgot-password/done");
    }
}

#[tokio::test]
async fn sr45_the_operator_may_let_the_same_password_pass() {
    let app = TestApp::with(|config| config.policy.rejects.current = Some(false)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    assert!(!browser.page().text().contains("current password"));
    browser.choose_password(OLD_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

#[tokio::test]
async fn sr36_what_is_longer_than_any_password_is_refused_before_it_is_hashed() {
    let (_app, mut browser) = awaiting_password().await;
    for long in ["many words in a row ".repeat(14), "x".repeat(5_000)] {
        browser.choose_password(&long).await;
        browser.assert_status(422);
        browser.assert_says("At most 256 characters");
    }
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

#[tokio::test]
async fn no_refused_password_is_echoed() {
    let (_app, mut browser) = awaiting_password().await;
    browser.choose_password("ada1234").await;
    assert!(!browser.page().body.contains("ada1234"));
    browser.open("/sign-in").await;
    browser.sign_in(ADA, "some wrong password").await;
    assert!(!browser.page().body.contains("some wrong password"));
    // What was typed beside it is kept, so that nobody types it twice.
    assert_eq!(browser.page().field("identifier", "value").as_deref(), Some(ADA));
}

#[tokio::test]
async fn sr52_no_password_rests_readable_in_the_database() {
    let (app, mut browser) = awaiting_password().await;
    browser.choose_password("ada1234 no").await;
    browser.choose_password(NEW_PASSWORD).await;
    app.settle().await;
    app.companion.store.close().await;
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(app.folder().join(name)).unwrap_or_default();
        for secret in [NEW_PASSWORD, OLD_PASSWORD, "ada1234 no"] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} stands in {name}");
        }
    }
}

#[tokio::test]
async fn a_proof_is_void_after_twenty_refused_passwords() {
    let (_app, mut browser) = awaiting_password().await;
    let form = browser.page().form_with("password");
    for _ in 0..19 {
        browser.choose_password("short").await;
        browser.assert_status(422);
    }
    browser.choose_password("short").await;
    browser.assert_at("/forgot-password");
    browser.submit(form.fill("password", NEW_PASSWORD)).await;
    browser.assert_at("/forgot-password");
    browser.assert_says("That reset is over.");
}
