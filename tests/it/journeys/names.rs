//! What apps are called: the same on every page, and the way back to them.

use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};
use url::Url;

/// A companion whose shop has no name, but answers at a site too; to Ada it is an app of others.
async fn with_a_nameless_shop() -> (TestApp, Browser) {
    let app = TestApp::with(|config| {
        let shop = &mut config.apps[0];
        shop.name = None;
        shop.first_party = false;
        shop.redirect_uris
            .push(Url::parse("https://shop.example/callback").unwrap());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let browser = app.browser();
    (app, browser)
}

#[tokio::test]
async fn an_app_without_a_name_is_called_by_its_site_on_every_page() {
    let (app, mut browser) = with_a_nameless_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.assert_says("to continue to shop.example");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/consent");
    browser.assert_says("Allow shop.example?");
    let form = browser.page().form_to("/consent").fill("answer", "allow");
    browser.submit(form).await;
    browser.open("/account").await;
    browser.assert_says("Remove access of shop.example");
    browser.open("/oidc/session/end?client_id=shop").await;
    browser.assert_says("shop.example asks to sign you out");
    let form = browser.page().form_to("/oidc/session/end");
    browser.submit(form).await;
    browser.assert_says("See you soon at shop.example.");
}

#[tokio::test]
async fn a_message_calls_it_the_same() {
    let (app, mut browser) = with_a_nameless_shop().await;
    browser.open(&app.site.at("/forgot-password")).await;
    browser.ask_reset(ADA).await;
    app.last_code_for(ADA).await;
    let letters = app.letters_to(ADA).await;
    assert!(letters[0].text.contains("shop.example"), "{}", letters[0].text);
}

#[tokio::test]
async fn whoever_is_signed_out_by_an_app_finds_the_way_back_to_it() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/oidc/session/end?client_id=shop").await;
    browser.assert_says("You’re signed out");
    browser.assert_says("See you soon at Larkspur Books.");
    let back = browser.page().link("Back to Larkspur Books").unwrap();
    assert_eq!(back.as_str(), app.site.at("/"), "the one that it registered");
    browser.click("Back to Larkspur Books").await;
    assert_eq!(browser.page().url.origin(), app.site.url.origin());

    let app = TestApp::with(|config| config.apps[0].post_logout_redirect_uris.clear()).await;
    let mut browser = app.browser();
    browser.open("/oidc/session/end?client_id=shop").await;
    let again = browser.page().link("Sign in again").unwrap();
    assert_eq!(again.as_str(), app.site.at("/sign-in"));
    // Where nobody asked, the house itself is the way back.
    browser.open("/oidc/session/end").await;
    browser.assert_says("See you soon at Larkspur Books.");
    assert!(browser.page().links().is_empty());
}
