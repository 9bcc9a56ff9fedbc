//! Several tabs of one browser at the same time.

use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD};

use super::with_ada;

const BEA: &str = "bea@example.com";

#[tokio::test]
async fn two_resets_side_by_side_do_not_disturb_each_other() {
    let (app, mut one) = with_ada().await;
    app.add_user(BEA, Some("a forgotten password")).await;
    let mut two = one.clone();
    one.open("/forgot-password").await;
    two.open("/forgot-password").await;
    one.ask_reset(ADA).await;
    two.ask_reset(BEA).await;
    let (code_one, code_two) = (app.last_code_for(ADA).await, app.last_code_for(BEA).await);
    two.enter_code(&code_two).await;
    one.enter_code(&code_one).await;
    assert_eq!(two.page().field("username", "value").as_deref(), Some(BEA));
    assert_eq!(one.page().field("username", "value").as_deref(), Some(ADA));
    one.choose_password(NEW_PASSWORD).await;
    two.choose_password("a pair of new shoelaces").await;
    one.assert_at("/forgot-password/done");
    two.assert_at("/forgot-password/done");
    one.click("Sign in").await;
    one.sign_in(ADA, NEW_PASSWORD).await;
    one.assert_at("/account");
}

#[tokio::test]
async fn two_sign_ins_of_the_shop_side_by_side_both_come_home() {
    let (app, mut one) = with_ada().await;
    let mut two = one.clone();
    one.open(&app.site.at("/forgot-password")).await;
    two.open(&app.site.at("/sign-in")).await;
    one.ask_reset(ADA).await;
    one.enter_code(&app.last_code_for(ADA).await).await;
    one.choose_password(NEW_PASSWORD).await;
    one.click("Sign in").await;
    two.sign_in(ADA, NEW_PASSWORD).await;
    two.assert_says("It began as a sign-in.");
    one.sign_in(ADA, NEW_PASSWORD).await;
    one.assert_says("It began as a reset.");
}

/// A browser has one session, which answers what waits in it, and nothing that waits elsewhere.
#[tokio::test]
async fn a_tab_that_comes_back_after_a_sign_in_in_another_is_answered() {
    let (app, mut one) = with_ada().await;
    let mut two = one.clone();
    for tab in [&mut one, &mut two] {
        tab.open(&app.site.at("/sign-in")).await;
        tab.assert_at("/sign-in");
    }
    let waiting = one.page().url.to_string();
    one.reload().await;
    one.assert_at("/sign-in");
    two.sign_in(ADA, OLD_PASSWORD).await;
    two.assert_says("Signed in as ada@example.com");
    let mut elsewhere = app.browser();
    elsewhere.open(&waiting).await;
    elsewhere.assert_status(400);
    one.reload().await;
    one.assert_says("Signed in as ada@example.com");
}

#[tokio::test]
async fn the_fifth_tab_pushes_the_first_out_and_that_one_says_so() {
    let (app, browser) = with_ada().await;
    let mut tabs = Vec::new();
    for _ in 0..5 {
        let mut tab = browser.clone();
        tab.open(&app.site.at("/sign-in")).await;
        tab.assert_at("/sign-in");
        app.advance(std::time::Duration::from_secs(1));
        tabs.push(tab);
    }
    tabs[0].reload().await;
    tabs[0].assert_status(400);
    tabs[0].assert_says("This sign-in has expired");
    for tab in &mut tabs[1..] {
        tab.reload().await;
        tab.assert_status(200);
    }
}

#[tokio::test]
async fn an_interaction_is_over_after_an_hour() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/sign-in")).await;
    app.advance(std::time::Duration::from_secs(3_600));
    browser.sign_in(ADA, keyback_tests::OLD_PASSWORD).await;
    browser.assert_status(400);
    browser.assert_says("This sign-in has expired");
    browser.click("Sign in to your account").await;
    browser.sign_in(ADA, keyback_tests::OLD_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn a_reset_whose_request_is_gone_can_be_begun_anew() {
    let (app, mut browser) = with_ada().await;
    browser.open("/reset-password?client_id=shop").await;
    app.advance(std::time::Duration::from_secs(3_600));
    browser.reload().await;
    browser.assert_status(400);
    browser.assert_says("This sign-in has expired");
    browser.click("Choose a new password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn cookies_of_other_programs_on_the_same_host_are_left_alone() {
    let (app, mut browser) = with_ada().await;
    // On localhost, cookies ignore ports: the app under development next door has its own.
    browser.put_cookie(&app.url, "session", "of the neighbour");
    browser.put_cookie(&app.url, "kbrp_0000_state", "of the neighbour's SDK");
    browser.open("/reset-password?client_id=shop").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
    for name in ["session", "kbrp_0000_state"] {
        assert!(browser.cookie(&app.url, name).is_some(), "{name}");
    }
}
