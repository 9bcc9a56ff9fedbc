//! Signing in on a device without a browser (RFC 8628): the device polls, a person types its code on another one.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_companion::config::app::{AppConfig, AppKind};
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};
use serde_json::Value;

const BEA: &str = "bea@example.com";

/// A television as an app.
pub(super) fn television(config: &mut Config) {
    config.apps.push(AppConfig {
        name: Some("Larkspur on TV".to_owned()),
        device_flow: true,
        ..AppConfig::new("tv", AppKind::Native)
    });
    config.limits.device_codes_per_address = 5;
}

/// A companion with a television as an app, and Ada.
async fn with_tv() -> (TestApp, Browser) {
    let app = TestApp::with(television).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.add_user(BEA, Some("a password of her own")).await;
    let browser = app.browser();
    (app, browser)
}

/// What the device sends and is answered.
async fn device(app: &TestApp, path: &str, form: &[(&str, &str)]) -> Value {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", "tv")].iter().chain(form))
        .finish();
    let request = reqwest::Client::new()
        .post(app.url.join(path).unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

pub(super) async fn begin(app: &TestApp) -> (String, String) {
    let begun = device(
        app,
        "/oidc/device/auth",
        &[("scope", "openid email offline_access")],
    )
    .await;
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    (text("device_code"), text("user_code"))
}

pub(super) async fn poll(app: &TestApp, device_code: &str) -> Value {
    let grant_type = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    device(app, "/oidc/token", &[grant_type, ("device_code", device_code)]).await
}

pub(super) async fn type_code(browser: &mut Browser, code: &str) {
    browser.open("/device").await;
    let form = browser.page().form_with("user_code").fill("user_code", code);
    browser.submit(form).await;
}

pub(super) async fn answer(browser: &mut Browser, answer: &str) {
    let form = browser.page().form_to("/device/confirm").fill("answer", answer);
    browser.submit(form).await;
}

#[tokio::test]
async fn rfc8628_3_3_a_person_types_the_code_signs_in_allows_and_the_device_is_signed_in() {
    let (app, mut browser) = with_tv().await;
    let (device_code, user_code) = begin(&app).await;
    assert_eq!(poll(&app, &device_code).await["error"], "authorization_pending");
    type_code(&mut browser, &user_code.to_lowercase().replace('-', " ")).await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/device/confirm");
    for words in [
        "Larkspur on TV on a device would like to sign you in.",
        &user_code,
        "127.0.0.1",
        "Only go on if you started this on your device.",
        "Signed in as ada@example.com",
    ] {
        browser.assert_says(words);
    }
    browser.page().assert_guarded();
    answer(&mut browser, "allow").await;
    browser.assert_at("/device/done");
    browser.assert_says("Your device is connected");
    assert_eq!(app.audited("device_allowed").await, 1);
    app.advance(Duration::from_secs(5));
    let tokens = poll(&app, &device_code).await;
    let userinfo = reqwest::Client::new()
        .get(app.url.join("/oidc/me").unwrap())
        .header(
            "authorization",
            format!("Bearer {}", tokens["access_token"].as_str().unwrap()),
        )
        .send()
        .await
        .unwrap();
    let claims: Value = serde_json::from_str(&userinfo.text().await.unwrap()).unwrap();
    assert_eq!(claims["email"], ADA);
    assert!(tokens["refresh_token"].is_string());
    // The back button and the code itself lead nowhere any more.
    type_code(&mut browser, &user_code).await;
    browser.assert_status(422);
    browser.assert_says("No device is waiting with that code.");
}

#[tokio::test]
async fn rfc8628_3_3_1_the_code_of_the_address_is_shown_and_nothing_happens_by_opening_it() {
    let (app, mut browser) = with_tv().await;
    let (device_code, user_code) = begin(&app).await;
    browser.open(&format!("/device?user_code={user_code}")).await;
    browser.assert_says("Is this the code on your device?");
    assert_eq!(
        browser.page().field("user_code", "value").as_deref(),
        Some(user_code.as_str())
    );
    browser.page().assert_guarded();
    assert_eq!(poll(&app, &device_code).await["error"], "authorization_pending");
    let form = browser.page().form_with("user_code");
    browser.submit(form).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    answer(&mut browser, "deny").await;
    browser.assert_says("Nothing was allowed");
    app.advance(Duration::from_secs(5));
    assert_eq!(poll(&app, &device_code).await["error"], "access_denied");
    assert_eq!(app.audited("device_denied").await, 1);
    let hostile = "/device?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    browser.open(hostile).await;
    assert_eq!(
        browser.page().field("user_code", "value").as_deref(),
        Some("\"><script>alert(1)</")
    );
    // What is no code is nothing to compare.
    browser.assert_status(422);
    browser.assert_says("That doesn’t look like a device’s code.");
    browser.assert_says("start on your device, and type what it shows");
    assert!(!browser.page().text().contains("Is this the code on your device?"));
    browser.open("/device?user_code=").await;
    browser.assert_status(200);
}

#[tokio::test]
async fn rfc8628_5_4_only_the_browser_and_the_person_that_the_page_spoke_to_can_answer() {
    let (app, mut ada) = with_tv().await;
    let (device_code, user_code) = begin(&app).await;
    type_code(&mut ada, &user_code).await;
    ada.sign_in(ADA, OLD_PASSWORD).await;
    ada.assert_at("/device/confirm");
    let confirm = ada.page().url.to_string();
    // A link to the page is no code: another browser is asked for it.
    let mut bea = app.browser();
    bea.open("/account").await;
    bea.sign_in(BEA, "a password of her own").await;
    bea.open(&confirm).await;
    bea.assert_status(410);
    bea.assert_says("Connect a device");
    // Another person signs in in Ada's browser, and Ada's page is still open in a tab.
    let of_ada = ada.page().form_to("/device/confirm").fill("answer", "allow");
    let as_another = ada.page().link("Not you?").unwrap();
    ada.open(as_another.as_str()).await;
    ada.sign_in(BEA, "a password of her own").await;
    ada.assert_at("/device/confirm");
    ada.submit(of_ada).await;
    ada.assert_says("Signed in as bea@example.com");
    app.advance(Duration::from_secs(5));
    assert_eq!(poll(&app, &device_code).await["error"], "authorization_pending");
    // A form of another site is refused (SR-66), as everywhere.
    let no_answer = ada.page().form_to("/device/confirm");
    ada.submit(no_answer).await;
    ada.assert_at("/device/confirm");
}

#[tokio::test]
async fn rfc8628_5_1_codes_can_not_be_guessed_at_leisure() {
    let (_app, mut browser) = with_tv().await;
    for typed in ["", "wdjb", "WDJB-MJH1", "AAAA-AAAA"] {
        type_code(&mut browser, typed).await;
        browser.assert_status(422);
        browser.assert_says("That doesn’t look like a device’s code. One is eight letters");
    }
    for _ in 0..5 {
        type_code(&mut browser, "BBBB-BBBB").await;
        browser.assert_status(422);
        browser.assert_says("No device is waiting with that code.");
    }
    type_code(&mut browser, "BBBB-BBBB").await;
    browser.assert_status(429);
    browser.assert_says("Too many tries. You can try again in");
    assert!(!browser.page().header("retry-after").is_empty());
}

#[tokio::test]
async fn sr54_a_reset_in_between_ends_the_device_that_was_allowed_before() {
    let (app, mut browser) = with_tv().await;
    let (device_code, user_code) = begin(&app).await;
    type_code(&mut browser, &user_code).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    answer(&mut browser, "allow").await;
    app.advance(Duration::from_secs(1));
    let mut owner = app.browser();
    owner.open("/forgot-password").await;
    owner.ask_reset(ADA).await;
    app.settle().await;
    owner.enter_code(&app.last_code_for(ADA).await).await;
    owner.choose_password("a new one that nobody has seen").await;
    owner.assert_at("/forgot-password/done");
    assert_eq!(poll(&app, &device_code).await["error"], "invalid_grant");
}
