//! What the authorization request carries that begins a reset, and that a callback which answers no such request is
//! refused.

use std::collections::HashMap;

use keyback::{Client, Provider};
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use url::Url;

fn parameters(url: &Url) -> HashMap<String, String> {
    let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let pairs = url.query_pairs().count();
    assert_eq!(parameters.len(), pairs, "a parameter is there twice: {url}");
    parameters
}

#[track_caller]
fn assert_begins_a_reset(url: &Url, first_screen: &str) {
    let parameters = parameters(url);
    let text = |name: &str| parameters.get(name).map_or("", String::as_str);
    assert_eq!(text("first_screen"), first_screen);
    assert!(text("prompt").split(' ').any(|prompt| prompt == "login"), "{url}");
    assert_eq!(text("response_type"), "code");
    assert_eq!(text("code_challenge_method"), "S256");
    // SHA-256 in base64url.
    assert_eq!(text("code_challenge").len(), 43);
    assert!(text("state").len() >= 22 && text("nonce").len() >= 22);
    assert_ne!(text("state"), text("nonce"));
    assert!(text("scope").split(' ').any(|scope| scope == "openid"));
}

#[tokio::test]
async fn sr75_the_sdks_request() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let answer = browser.get_once(&app.site.at("/forgot-password")).await;
    assert_eq!(answer.status, 303);
    let url = answer.location().unwrap();
    assert_eq!((url.origin(), url.path()), (app.url.origin(), "/oidc/auth"));
    assert_begins_a_reset(&url, "reset-password");
    assert_eq!(parameters(&url)["redirect_uri"], app.site.at("/callback"));
    // No value is used twice.
    let again = browser
        .get_once(&app.site.at("/forgot-password"))
        .await
        .location()
        .unwrap();
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameters(&url)[name], parameters(&again)[name], "{name}");
    }
}

#[tokio::test]
async fn sr75_the_reset_endpoints_request() {
    let app = TestApp::start().await;
    let answer = app.browser().get_once("/reset-password?client_id=shop").await;
    assert_eq!(answer.status, 303);
    let url = answer.location().unwrap();
    assert_begins_a_reset(&url, "reset-password");
    let parameters = parameters(&url);
    assert_eq!(parameters["client_id"], "keyback-reset");
    let own = app.url.join("/reset-password/callback").unwrap();
    assert_eq!(parameters["redirect_uri"], own.as_str());
}

#[tokio::test]
async fn for_logto_the_screen_is_spelled_as_logto_does() {
    // The SDK asks discovery first, and a Logto says nothing of first screens: its profile decides.
    let app = TestApp::start().await;
    let client = Client::builder(app.companion.provider.issuer(), "shop")
        .redirect_uri(app.site.at("/callback"))
        .provider(Provider::Logto)
        .build()
        .unwrap();
    let sign_in = client.forgot_password().start().await.unwrap();
    assert_begins_a_reset(&sign_in.url, "reset_password");
}

#[tokio::test]
async fn every_advertised_spelling_leads_to_its_page_and_no_other() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let discovery = browser.get_once("/oidc/.well-known/openid-configuration").await;
    let discovery: serde_json::Value = serde_json::from_str(&discovery.body).unwrap();
    let spellings = discovery["first_screen_values_supported"].as_array().unwrap();
    assert!(spellings.len() >= 6);
    let base = browser
        .get_once(&app.site.at("/sign-in"))
        .await
        .location()
        .unwrap();
    for spelling in spellings {
        let mut url = base.clone();
        url.query_pairs_mut()
            .append_pair("first_screen", spelling.as_str().unwrap());
        browser.open(url.as_str()).await;
        let is_reset = spelling.as_str().unwrap().starts_with("reset");
        browser.assert_at(if is_reset { "/forgot-password" } else { "/sign-in" });
    }
    let mut url = base;
    url.query_pairs_mut().append_pair("first_screen", "resetPassword");
    let refused = browser.get_once(url.as_str()).await.location().unwrap();
    assert_eq!(refused.origin(), app.site.url.origin());
    assert_eq!(parameters(&refused)["error"], "invalid_request");
}

/// A shop's visitor on the way back to the callback, not yet there.
async fn coming_back(app: &TestApp) -> (keyback_tests::Browser, Url) {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    let form = browser.page().form_with("password");
    let form = form.fill("identifier", ADA).fill("password", OLD_PASSWORD);
    let answer = browser.post_once(&form).await;
    (browser, answer.location().unwrap())
}

#[tokio::test]
async fn sr76_a_callback_that_answers_no_request_of_this_browser_is_refused() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (browser, callback) = coming_back(&app).await;
    let changed = |name: &str, value: Option<&str>| {
        let mut url = callback.clone();
        let kept: Vec<_> = callback
            .query_pairs()
            .into_owned()
            .filter(|(n, _)| n != name)
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    };
    let twice = format!("{callback}&code=another");
    // A thief's browser has the address, but not the cookie.
    let thief = app.browser().get_once(callback.as_str()).await;
    assert_eq!(thief.status, 400, "{}", thief.body);
    for forged in [
        changed("state", Some("made-up")),
        changed("state", None),
        changed("iss", Some("https://evil.example")),
        changed("iss", None),
        changed("code", None),
        Url::parse(&twice).unwrap(),
    ] {
        let answer = browser.get_once(forged.as_str()).await;
        assert_eq!(answer.status, 400, "{forged}: {}", answer.body);
        assert!(answer.body.contains("The callback was refused"));
        assert!(app.site.session_of(&browser).is_none());
    }
    // The true one still works after all that, once.
    assert_eq!(browser.get_once(callback.as_str()).await.status, 303);
    assert!(app.site.session_of(&browser).is_some());
    assert_eq!(browser.get_once(callback.as_str()).await.status, 400);
}

#[tokio::test]
async fn a_code_that_was_forged_or_is_too_old_signs_nobody_in() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (browser, callback) = coming_back(&app).await;
    let code = callback
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let forged = callback.as_str().replace(&code, &"A".repeat(code.len()));
    assert_eq!(browser.get_once(&forged).await.status, 400);
    let (browser, callback) = coming_back(&app).await;
    // SR-78: a minute.
    app.advance(std::time::Duration::from_secs(61));
    assert_eq!(browser.get_once(callback.as_str()).await.status, 400);
    assert!(app.site.session_of(&browser).is_none());
}

#[tokio::test]
async fn the_endpoints_own_callback_refuses_what_it_did_not_begin() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    for query in [
        "",
        "?code=x&state=y",
        "?error=access_denied",
        "?state=&code=",
        "?code=x&code=y&state=z",
    ] {
        browser.open(&format!("/reset-password/callback{query}")).await;
        browser.assert_status(400);
        browser.page().assert_guarded();
    }
    browser.open("/reset-password/callback?code=x&state=y").await;
    browser.assert_says("This sign-in has expired");
    // And shows the way on.
    browser.click("Start again").await;
    browser.assert_at("/forgot-password");
    // The true way, and then its callback again.
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
    let callback = browser.hop_to("/reset-password/callback").url.clone();
    browser.open(callback.as_str()).await;
    browser.assert_status(400);
}
