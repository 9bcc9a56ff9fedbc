//! The account page: changing the password while signed in, and signing out.

use std::time::Duration;

use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, TestApp};

use super::with_ada;

async fn signed_in(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    browser.open("/account/password").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    // Back to where the visitor wanted to go.
    browser.assert_at("/account/password");
    browser
}

#[tokio::test]
async fn sr72_changing_the_password_asks_for_the_current_one() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    browser.change_password("not the current one", NEW_PASSWORD).await;
    browser.assert_status(422);
    browser.assert_says("That is not your current password.");
    browser.change_password("", NEW_PASSWORD).await;
    browser.assert_status(422);
    browser.change_password(OLD_PASSWORD, "ada1234").await;
    browser.assert_status(422);
    let broken = browser.page().texts_with_class("li", "bad");
    assert!(broken.len() >= 2, "{broken:?}");
    assert_eq!(app.audited("password_changed").await, 0);
}

/// One that began 26 days ago, and was seen in between: near the end of its life.
async fn signed_in_long_ago(app: &TestApp) -> Browser {
    let mut browser = signed_in(app).await;
    for _ in 0..2 {
        app.advance(Duration::from_secs(13 * 86_400));
        browser.open("/account/password").await;
        browser.assert_at("/account/password");
    }
    browser
}

#[tokio::test]
async fn sr72_however_old_the_session_is_it_changes_nothing_without_the_current_password() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in_long_ago(&app).await;
    for current in ["", "not the current one"] {
        browser.change_password(current, NEW_PASSWORD).await;
        browser.assert_status(422);
        browser.assert_says("That is not your current password.");
    }
    assert_eq!(app.audited("password_changed").await, 0);
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_status(200);
    assert_eq!(app.audited("password_changed").await, 1);
    // What begins now is no older than the proof.
    app.advance(Duration::from_secs(13 * 86_400));
    browser.open("/account").await;
    browser.assert_at("/account");
}

/// By mail: the session is no proof that the address is one's own.
#[tokio::test]
async fn sr72_however_old_the_session_is_its_way_around_the_password_asks_for_a_code() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in_long_ago(&app).await;
    browser.click("Forgot it?").await;
    browser.ask_reset(ADA).await;
    browser.enter_code("no code").await;
    browser.assert_status(422);
    assert_eq!(app.audited("password_changed").await, 0);
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    browser.open("/account").await;
    browser.assert_at("/sign-in");
}

#[tokio::test]
async fn sr45_the_current_password_is_no_new_one() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    browser.assert_says("Not your current password");
    // What is said of it is said to whoever knows it alone.
    browser.change_password("not the current one", OLD_PASSWORD).await;
    browser.assert_says("That is not your current password.");
    assert!(browser.page().texts_with_class("li", "bad").is_empty());
    browser.change_password(OLD_PASSWORD, OLD_PASSWORD).await;
    browser.assert_status(422);
    browser.assert_says("That is the password you have now. Choose another one.");
    assert_eq!(
        browser.page().texts_with_class("li", "bad"),
        ["Not met: Not your current password"]
    );
    assert_eq!(app.audited("password_changed").await, 0);
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_status(200);
}

#[tokio::test]
async fn sr64_a_change_ends_every_other_session_and_gives_this_one_a_new_id() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    let mut elsewhere = signed_in(&app).await;
    let old_cookie = browser.cookie(&app.url, "kb_session").unwrap();
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_status(200);
    browser.assert_says("Password changed");
    browser.assert_says("Your other device is signed out.");
    let new_cookie = browser.cookie(&app.url, "kb_session").unwrap();
    assert_ne!(old_cookie, new_cookie);
    browser.click("Back to your account").await;
    browser.assert_at("/account");
    elsewhere.open("/account").await;
    elsewhere.assert_at("/sign-in");
    // The old cookie opens nothing.
    let mut thief = app.browser();
    thief.put_cookie(&app.url, "kb_session", &old_cookie);
    thief.open("/account").await;
    thief.assert_at("/sign-in");
    let letters = app.letters_to(ADA).await;
    assert_eq!(letters[0].kind, "password-changed");
    let mut anew = app.browser();
    anew.open("/sign-in").await;
    anew.sign_in(ADA, OLD_PASSWORD).await;
    anew.assert_status(422);
    anew.sign_in(ADA, NEW_PASSWORD).await;
    anew.assert_at("/account");
}

#[tokio::test]
async fn sr24_a_change_kills_the_codes_that_are_on_their_way() {
    let (app, mut stranger) = with_ada().await;
    stranger.open("/forgot-password").await;
    stranger.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    let mut browser = signed_in(&app).await;
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    stranger.enter_code(&code).await;
    stranger.assert_says("That code doesn’t match.");
}

#[tokio::test]
async fn who_forgot_the_current_password_finds_the_reset_and_comes_back() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    browser.click("Forgot it?").await;
    browser.assert_at("/forgot-password");
    assert_eq!(browser.page().field("identifier", "value").as_deref(), Some(ADA));
    let mut stranger = app.browser();
    stranger.open("/forgot-password?to=password").await;
    assert_eq!(stranger.page().field("identifier", "value").as_deref(), Some(""));
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account/password");
}

#[tokio::test]
async fn signing_out_is_asked_for_and_ends_the_session() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    let cookie = browser.cookie(&app.url, "kb_session").unwrap();
    browser.click("Back to your account").await;
    browser.click("Sign out").await;
    browser.assert_at("/sign-out");
    let form = browser.page().form_to("/sign-out");
    browser.submit(form).await;
    browser.assert_at("/signed-out");
    assert_eq!(browser.cookie(&app.url, "kb_session"), None);
    browser.put_cookie(&app.url, "kb_session", &cookie);
    browser.open("/account").await;
    browser.assert_at("/sign-in");
    browser.open("/sign-out").await;
    browser.assert_at("/signed-out");
}

#[tokio::test]
async fn sr72_current_passwords_can_not_be_tried_without_end() {
    let (app, _) = with_ada().await;
    let mut browser = signed_in(&app).await;
    for _ in 0..20 {
        browser.change_password("not the current one", NEW_PASSWORD).await;
        browser.assert_status(422);
    }
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_status(429);
    browser.assert_says("Too many tries. You can try again in");
    assert!(!browser.page().header("retry-after").is_empty());
}

#[tokio::test]
async fn sr85_the_well_known_address_leads_to_the_page_and_its_probe_is_no_page() {
    let (_app, mut browser) = with_ada().await;
    let answer = browser.get_once("/.well-known/change-password").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.location().unwrap().path(), "/account/password");
    let probe = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";
    assert_eq!(browser.get_once(probe).await.status, 404);
    browser.open("/.well-known/change-password").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account/password");
}
