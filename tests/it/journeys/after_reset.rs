//! What a reset ends: the old password, all sessions, all tokens; and who is told.

use keyback::{Error, ExchangeError, UserInfoError};
use keyback_companion::config::app::ResourceConfig;
use keyback_companion::config::duration::Span;
use keyback_tests::{ADA, APP_SECRET, Browser, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use serde_json::{Value, json};

use super::with_ada;

async fn reset(app: &TestApp, browser: &mut Browser) {
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

async fn signed_in(app: &TestApp, password: &str) -> Browser {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, password).await;
    browser.assert_says("Signed in as ada@example.com");
    browser
}

#[tokio::test]
async fn sr54_the_old_password_and_every_session_end() {
    let (app, mut browser) = with_ada().await;
    let mut elsewhere = signed_in(&app, OLD_PASSWORD).await;
    elsewhere.open("/account").await;
    elsewhere.assert_at("/account");
    reset(&app, &mut browser).await;
    browser.assert_says("Whatever was signed in here with the old one is signed out.");
    browser.assert_says("Signed out here 1 device");
    elsewhere.open("/account").await;
    elsewhere.assert_at("/sign-in");
    browser.click("Sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_status(422);
    browser.assert_says("That e-mail or phone and password don’t match.");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn the_last_page_promises_nothing_where_nothing_was_open() {
    let (app, mut browser) = with_ada().await;
    reset(&app, &mut browser).await;
    browser.assert_says("Nothing was signed in with the old one.");
    let page = browser.page().text();
    assert!(
        !page.contains("Apps keep") && !page.contains("Signed out here"),
        "{page}"
    );
}

#[tokio::test]
async fn the_last_page_says_how_long_apps_may_hold_what_they_were_given() {
    let app = TestApp::with(|config| {
        config.apps[0].backchannel_logout_uri = None;
        config.tokens.access_token = Span::minutes(20);
        config.tokens.id_token = Span::minutes(5);
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    signed_in(&app, OLD_PASSWORD).await;
    let mut browser = app.browser();
    reset(&app, &mut browser).await;
    browser.assert_says("what it was given here works for up to 20 minutes.");
    assert!(!browser.page().text().contains("Being told"), "nobody is told");
}

#[tokio::test]
async fn sr54_sr55_access_and_refresh_tokens_of_before_are_dead() {
    let (app, mut browser) = with_ada().await;
    let client = &app.site.client;
    let elsewhere = signed_in(&app, OLD_PASSWORD).await;
    let session = app.site.session_of(&elsewhere).unwrap();
    assert!(client.user_info(&session).await.is_ok());
    let session = client.refresh(&session).await.unwrap();
    reset(&app, &mut browser).await;
    let answer = browser_less_me(&app, session.access_token()).await;
    assert_eq!(answer, 401);
    assert!(matches!(
        client.user_info(&session).await,
        Err(Error::UserInfo(UserInfoError::TokenRefused))
    ));
    assert!(matches!(
        client.refresh(&session).await,
        Err(Error::Exchange(ExchangeError::InvalidGrant))
    ));
    // Whoever signs in anew has tokens that work, in the very same millisecond too.
    let again = signed_in(&app, NEW_PASSWORD).await;
    let session = app.site.session_of(&again).unwrap();
    assert!(client.user_info(&session).await.is_ok());
    assert!(client.refresh(&session).await.is_ok());
}

#[tokio::test]
async fn sr55_introspection_calls_tokens_of_before_a_reset_dead_and_those_of_after_alive() {
    const API: &str = "https://orders.example";
    let app = TestApp::with(|config| {
        config.resources = vec![ResourceConfig::new(API, vec!["read".to_owned()])];
        config.apps[0].resources = vec![API.to_owned()];
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let held = async |password: &str| {
        let client = &app.site.client;
        let asked = client.sign_in().scope("offline_access").scope("read");
        let begun = asked.resource(API).start().await.unwrap();
        let mut browser = app.browser();
        browser.open(begun.url.as_str()).await;
        browser.sign_in(ADA, password).await;
        let session = client.finish(begun.pending, &browser.page().url).await.unwrap();
        let access = client.access_token_for(&session, API).await.unwrap();
        let (jwt, session) = (access.tokens.access_token().to_owned(), access.session);
        let opaque = session.access_token().to_owned();
        assert_eq!([&jwt, &opaque].map(|token| token.split('.').count()), [3, 1]);
        [jwt, opaque, session.refresh_token().unwrap().to_owned()]
    };
    let of_before = held(OLD_PASSWORD).await;
    for token in &of_before {
        assert_eq!(introspect(&app, token).await["active"], true);
    }
    let mut browser = app.browser();
    reset(&app, &mut browser).await;
    let of_after = held(NEW_PASSWORD).await;
    for token in &of_before {
        // RFC 7662 2.2: and nothing else is told of it.
        assert_eq!(introspect(&app, token).await, json!({ "active": false }));
    }
    for token in &of_after {
        assert_eq!(introspect(&app, token).await["active"], true);
    }
}

/// What the shop is told of a token (RFC 7662).
async fn introspect(app: &TestApp, token: &str) -> Value {
    let asked = reqwest::Client::new()
        .post(app.url.join("/oidc/token/introspection").unwrap())
        .basic_auth("shop", Some(APP_SECRET))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"));
    let answer = asked.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// What `/oidc/me` answers to a token, without any SDK.
async fn browser_less_me(app: &TestApp, token: &str) -> u16 {
    let request = format!(
        "GET /oidc/me HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
        app.url.port().unwrap()
    );
    keyback_tests::wire::status(&keyback_tests::wire::exchange(&app.url, request.as_bytes()).await)
}

#[tokio::test]
async fn sr54_an_authorization_code_of_before_is_dead() {
    let (app, mut browser) = with_ada().await;
    let mut elsewhere = signed_in(&app, OLD_PASSWORD).await;
    // A code that the shop has not yet exchanged: the way stops before the shop's callback.
    let to_provider = elsewhere.get_once(&app.site.at("/sign-in")).await;
    let to_shop = elsewhere.get_once(to_provider.location().unwrap().as_str()).await;
    let callback = to_shop.location().unwrap();
    assert!(callback.query().unwrap().contains("code="));
    reset(&app, &mut browser).await;
    elsewhere.open(callback.as_str()).await;
    elsewhere.assert_status(400);
    elsewhere.assert_says("The callback was refused");
}

#[tokio::test]
async fn sr59_a_notice_goes_to_every_verified_address_and_carries_no_secret() {
    let app = TestApp::start().await;
    let (phone, other) = ("+14155550123", "bea@example.com");
    let ada = keyback_companion::store::users::NewUser {
        email: Some(ADA.to_owned()),
        phone: Some(phone.to_owned()),
        verified: true,
        ..Default::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    app.add_user(other, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    reset(&app, &mut browser).await;
    for address in [ADA, phone] {
        let letters = app.letters_to(address).await;
        let notice = letters
            .iter()
            .find(|letter| letter.kind == "password-changed")
            .unwrap();
        assert_eq!(notice.code, None);
        assert!(!notice.text.contains(NEW_PASSWORD) && !notice.text.contains(OLD_PASSWORD));
        // SR-8: its link is made of the configuration.
        assert!(
            notice.text.contains(&format!("{}not-me?t=", app.url)),
            "{}",
            notice.text
        );
    }
    assert!(app.letters_to(other).await.is_empty());
}

#[tokio::test]
async fn a_finished_reset_marks_its_address_verified_alone() {
    let app = TestApp::start().await;
    let ada = keyback_companion::store::users::NewUser {
        email: Some(ADA.to_owned()),
        phone: Some("+14155550123".to_owned()),
        verified: true,
        ..Default::default()
    };
    let id = app.add(ada, None).await;
    sqlx::query("UPDATE users SET phone_verified = FALSE WHERE id = $1")
        .bind(&id)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    let mut browser = app.browser();
    reset(&app, &mut browser).await;
    let user = app.user(ADA).await;
    assert!(user.email_verified && !user.phone_verified);
    // And no notice goes where nobody has proved to be.
    assert!(app.letters_to("+14155550123").await.is_empty());
}

#[tokio::test]
async fn sr62_the_audit_trail_tells_the_story() {
    let (app, mut browser) = with_ada().await;
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    browser.enter_code(&super::codes::wrong(&code)).await;
    browser.enter_code(&code).await;
    browser.choose_password("short").await;
    browser.choose_password(NEW_PASSWORD).await;
    app.settle().await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.open("/sign-out").await;
    let sign_out = browser.page().form_to("/sign-out");
    browser.submit(sign_out).await;
    let told: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT event, client_ip FROM audit ORDER BY rowid")
            .fetch_all(app.companion.store.reader())
            .await
            .unwrap();
    let events: Vec<_> = told.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(
        events,
        [
            "reset_requested",
            "code_sent",
            "code_rejected",
            "code_accepted",
            "password_rejected",
            "reset_completed",
            "notice_sent",
            "sign_in_failed",
            "signed_in",
            "signed_out"
        ]
    );
    for (event, address) in &told {
        // What the worker does is done from nowhere.
        let expected = (!event.ends_with("_sent")).then_some("127.0.0.1");
        assert_eq!(address.as_deref(), expected, "{event}");
    }
}
