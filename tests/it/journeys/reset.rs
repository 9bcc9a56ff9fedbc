//! From "Forgot password?" to signed in, by every way there is.

use keyback_companion::store::users::NewUser;
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, Tells, TestApp};

use super::with_ada;

#[tokio::test]
async fn from_the_shops_own_link_to_signed_in_at_the_shop() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/")).await;
    browser.click("Forgot password?").await;
    browser.assert_at("/forgot-password");
    browser.assert_says("Forgot your password?");
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    browser.assert_says("If ada@example.com has an account, a 6-digit code is on its way.");
    browser.assert_says("It works for 10 minutes.");
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(
        browser.page().field("username", "value").as_deref(),
        Some(ADA),
        "password managers must learn whose password it is (SR-43)"
    );
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    browser.assert_says("Your new password is set");
    // Nobody is signed in by a reset (SR-57).
    assert!(app.site.session_of(&browser).is_none());
    browser.click("Sign in").await;
    browser.assert_at("/sign-in");
    browser.assert_says("Your password is changed. Sign in with the new one.");
    browser.assert_says("to continue to Larkspur Books");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    assert_eq!(browser.page().url.as_str(), app.site.url.as_str());
    browser.assert_says("Signed in as ada@example.com. It began as a reset.");
}

#[tokio::test]
async fn a_link_that_names_no_app_is_told_what_to_mend() {
    let (_app, mut browser) = with_ada().await;
    for path in [
        "/reset-password?client_id=nobody",
        "/oidc/auth?response_type=code",
    ] {
        browser.open(path).await;
        browser.assert_status(400);
        browser.assert_says("The link names no app that is registered here.");
        browser.assert_says("For the app’s developer:");
        browser.assert_says("client_id");
    }
}

#[tokio::test]
async fn from_the_reset_endpoint_back_to_the_app_without_a_second_prompt() {
    let (app, mut browser) = with_ada().await;
    browser.open("/reset-password?client_id=shop").await;
    browser.assert_at("/forgot-password");
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_says("to go on to Larkspur Books");
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    // One form, then only redirects: the own callback, the app's sign-in, the session's silent answer, the app's callback.
    let ways: Vec<_> = browser
        .hops()
        .iter()
        .map(|hop| hop.url.path().to_owned())
        .collect();
    assert_eq!(
        ways,
        [
            "/sign-in",
            "/reset-password/callback",
            "/sign-in",
            "/oidc/auth",
            "/callback",
            "/"
        ]
    );
    assert_eq!(browser.page().url.as_str(), app.site.url.as_str());
    browser.assert_says("Signed in as ada@example.com. It began as a sign-in.");
}

#[tokio::test]
async fn the_only_app_needs_no_name_at_the_reset_endpoint() {
    let (app, mut browser) = with_ada().await;
    browser.open("/reset-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
}

#[tokio::test]
async fn without_an_app_the_way_ends_at_the_account() {
    let app = TestApp::with(|config| config.apps.clear()).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/reset-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
    browser.assert_says(ADA);
}

#[tokio::test]
async fn a_hint_of_the_app_fills_in_the_address() {
    let (_app, mut browser) = with_ada().await;
    browser
        .open("/reset-password?client_id=shop&login_hint=ada%40example.com&ui_locales=de%20en")
        .await;
    browser.assert_at("/forgot-password");
    assert_eq!(browser.page().field("identifier", "value").as_deref(), Some(ADA));
}

#[tokio::test]
async fn by_phone_over_sms() {
    let app = TestApp::start().await;
    let phone = "+14155550123";
    let user = NewUser {
        phone: Some(phone.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(user, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    // As people write it.
    browser.ask_reset("+1 (415) 555-0123").await;
    browser.assert_says("Check your phone");
    let letter = app.letters_to(phone).await.remove(0);
    assert_eq!(letter.channel, "sms");
    let code = letter.code.unwrap();
    // SR-33: the last line binds the code to the host.
    let last_line = letter.text.trim_end().lines().last().unwrap();
    assert_eq!(last_line, format!("@localhost #{code}"));
    browser.enter_code(&code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    browser.click("Sign in").await;
    browser.sign_in(phone, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn an_address_is_found_however_it_is_typed_and_the_mail_goes_to_the_stored_one() {
    let (app, mut browser) = with_ada().await;
    browser.open("/forgot-password").await;
    browser.ask_reset("  ADA@Example.COM ").await;
    browser.assert_at("/forgot-password/code");
    assert_eq!(app.letters_to(ADA).await.len(), 1);
}

#[tokio::test]
async fn an_account_without_a_password_gets_its_first_by_a_reset() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, None).await;
    assert_eq!(app.password_hash(&id).await, None);
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_status(422);
    browser.click("Forgot password?").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn sr36_sr38_a_long_password_in_any_script_is_kept_as_it_is() {
    let (app, mut browser) = with_ada().await;
    let password = format!("пароль из слов 合言葉 {}", "e\u{301}té ".repeat(20));
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(&password).await;
    browser.assert_at("/forgot-password/done");
    browser.click("Sign in").await;
    // One form for what looks the same; and no cutting, trimming or folding (SR-39).
    for other in [password.trim_end(), &password.to_uppercase(), &password[..64]] {
        browser.sign_in(ADA, other).await;
        browser.assert_says("don’t match");
    }
    browser.sign_in(ADA, &password.replace("e\u{301}", "é")).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn sr66_a_browser_that_tells_its_origin_alone_gets_through() {
    let (app, browser) = with_ada().await;
    let mut browser = browser.that_tells(Tells::OriginAlone);
    browser.open(&app.site.at("/forgot-password")).await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("It began as a reset.");
}

#[tokio::test]
async fn the_real_cost_of_a_hash_works_too_and_an_older_hash_is_renewed() {
    let app = TestApp::with(|config| {
        config.hashing = keyback_companion::config::Config::default().hashing;
    })
    .await;
    let id = app.add_user(ADA, None).await;
    // The cheap hash of "violet otter paddles" with 64 KiB, as an earlier configuration wrote it.
    let cheap = TestApp::start().await;
    let cheap_id = cheap.add_user(ADA, Some(OLD_PASSWORD)).await;
    let phc = cheap.password_hash(&cheap_id).await.unwrap();
    let db = app.companion.store.writer();
    keyback_companion::store::credentials::save_password_hash(db, &id, &phc, app.clock.now())
        .await
        .unwrap();
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    let renewed = app.password_hash(&id).await.unwrap();
    assert!(
        renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{renewed}"
    );
}
