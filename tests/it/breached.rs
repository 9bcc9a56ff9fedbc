//! Breached passwords, looked up by the range protocol in a corpus on this machine.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_core::password::WhenDown;
use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, RangeStub, TestApp};

const LEAKED: &str = "lavender anvil crossing";

async fn choosing(stub: &RangeStub, when_down: WhenDown) -> (TestApp, Browser) {
    let url = stub.url.clone();
    let app = TestApp::with(|config: &mut Config| {
        config.breached.range_url = Some(url);
        config.breached.when_down = when_down;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    (app, browser)
}

#[tokio::test]
async fn sr40_sr41_a_leaked_password_is_refused_and_only_five_digits_leave() {
    let stub = RangeStub::listing(&[LEAKED]).await;
    let (_app, mut browser) = choosing(&stub, WhenDown::Refuse).await;
    browser.assert_says("Not in a list of leaked passwords");
    browser.choose_password(LEAKED).await;
    browser.assert_status(422);
    let broken = browser.page().texts_with_class("li", "bad");
    assert!(
        broken.iter().any(|line| line.contains("found in a data leak")),
        "{broken:?}"
    );
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    let asked = stub.asked();
    assert_eq!(asked.len(), 2);
    for (prefix, padded) in asked {
        assert!(
            prefix.len() == 5 && prefix.chars().all(|c| c.is_ascii_hexdigit()),
            "{prefix}"
        );
        assert!(padded, "the length of the answer would tell");
    }
}

#[tokio::test]
async fn sr41_while_the_corpus_is_down_passwords_are_accepted_where_the_operator_says_so() {
    let stub = RangeStub::listing(&[LEAKED]).await;
    let (_app, mut browser) = choosing(&stub, WhenDown::Accept).await;
    stub.go_down();
    browser.choose_password("short").await;
    browser.assert_status(422);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

/// Nobody waits long for what will not answer: after five look-ups in vain none is made for a while, and then one.
#[tokio::test]
async fn sr87_while_the_corpus_is_down_it_is_left_alone_and_nothing_is_let_through() {
    let stub = RangeStub::listing(&[LEAKED]).await;
    let (app, mut browser) = choosing(&stub, WhenDown::Refuse).await;
    stub.go_down();
    for nth in 0..8 {
        browser.choose_password(&format!("{LEAKED} {nth}")).await;
        browser.assert_status(503);
    }
    assert_eq!(stub.asked().len(), 5);
    app.advance(Duration::from_secs(5));
    for _ in 0..2 {
        browser.choose_password(LEAKED).await;
        browser.assert_status(503);
    }
    assert_eq!(stub.asked().len(), 6);
    stub.come_back();
    app.advance(Duration::from_secs(10));
    browser.choose_password(LEAKED).await;
    browser.assert_status(422);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

/// Whoever chooses a password chooses the range that is asked for, and may know one that the corpus fails at.
#[tokio::test]
async fn sr87_a_range_that_the_corpus_fails_at_keeps_it_from_no_other() {
    const FAILING: &str = "salted lantern mosaic";
    let stub = RangeStub::listing(&[LEAKED]).await;
    let (app, mut browser) = choosing(&stub, WhenDown::Refuse).await;
    stub.break_for(FAILING);
    for _ in 0..8 {
        browser.choose_password(FAILING).await;
        browser.assert_status(503);
    }
    assert_eq!(app.companion.breakers.open(), []);
    browser.choose_password(LEAKED).await;
    browser.assert_status(422);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

#[tokio::test]
async fn sr41_and_are_asked_to_come_back_where_not_and_the_proof_is_kept() {
    let stub = RangeStub::listing(&[LEAKED]).await;
    let (app, mut browser) = choosing(&stub, WhenDown::Refuse).await;
    stub.go_down();
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_status(503);
    browser.assert_at("/forgot-password/password");
    browser.assert_says("We couldn’t check that password just now. Please try again in 60 seconds.");
    assert_eq!(browser.page().header("retry-after"), "60");
    assert_eq!(app.audited("reset_completed").await, 0);
    // What is wrong without any look-up is told even now.
    browser.choose_password("short").await;
    browser.assert_status(422);
    browser.assert_says("At least 15 characters");
}

#[tokio::test]
async fn sr44_the_account_page_looks_up_too() {
    let stub = RangeStub::listing(&[LEAKED]).await;
    let url = stub.url.clone();
    let app = TestApp::with(|config: &mut Config| config.breached.range_url = Some(url)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/account/password").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.change_password(OLD_PASSWORD, LEAKED).await;
    browser.assert_status(422);
    browser.assert_says("found in a data leak");
    // And not for who doesn't know the current one.
    let asked = stub.asked().len();
    browser.change_password("not the current one", LEAKED).await;
    assert_eq!(stub.asked().len(), asked);
}
