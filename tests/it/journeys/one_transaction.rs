//! All that a reset writes is one transaction: where a statement of it fails, however late, it has done nothing. SR-53.

use keyback::{Error, ExchangeError};
use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use sqlx::AssertSqlSafe;

use super::device;
use crate::webhooks::hook;

/// Statements in the order in which they come: on what, and of which rows.
const LATE: [(&str, &str); 8] = [
    ("DELETE ON session_apps", "TRUE"),
    ("INSERT ON jobs", "NEW.kind = 'logout'"),
    ("UPDATE ON reset_flows", "NEW.flow LIKE '%completed%'"),
    ("UPDATE ON credentials", "NEW.awaits_sign_in"),
    ("INSERT ON jobs", "NEW.kind = 'webhook'"),
    ("INSERT ON audit", "NEW.event = 'reset_completed'"),
    ("INSERT ON freeze_links", "TRUE"),
    // The last of all: the second of the two notices.
    (
        "INSERT ON jobs",
        "NEW.kind = 'password-changed' AND EXISTS (SELECT 1 FROM jobs WHERE kind = 'password-changed')",
    ),
];

/// A browser that stands at a page of the reset of Ada.
async fn with_proof(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
    browser
}

async fn opens(app: &TestApp, password: &str) -> bool {
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, password).await;
    browser.page().url.path() == "/account"
}

#[tokio::test]
async fn sr53_a_reset_of_which_a_late_statement_fails_has_done_nothing() {
    let peer = MessageProvider::start(Behaviour::Takes).await;
    let app = TestApp::with(|config| {
        device::television(config);
        config.apps[0].backchannel_logout_uri = Some(peer.url.join("/logout").unwrap());
        config.webhooks = vec![hook(&peer, &[WebhookEvent::UserDataUpdated])];
        config.limits.factor = 100;
    })
    .await;
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        phone: Some("+14155550123".to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;

    // All that a reset ends: sessions, tokens, a code that the shop has not seen, a device that was allowed, other resets.
    let mut elsewhere = app.browser();
    elsewhere.open(&app.site.at("/sign-in")).await;
    elsewhere.sign_in(ADA, OLD_PASSWORD).await;
    elsewhere.assert_says("Signed in as ada@example.com");
    let session = app.site.session_of(&elsewhere).unwrap();
    let to_provider = elsewhere.get_once(&app.site.at("/sign-in")).await;
    let to_shop = elsewhere.get_once(to_provider.location().unwrap().as_str()).await;
    let callback = to_shop.location().unwrap();
    let (device_code, user_code) = device::begin(&app).await;
    device::type_code(&mut elsewhere, &user_code).await;
    device::answer(&mut elsewhere, "allow").await;
    elsewhere.assert_at("/device/done");
    let mut waiting = app.browser();
    waiting.open("/forgot-password").await;
    waiting.ask_reset(ADA).await;
    let its_code = app.last_code_for(ADA).await;
    let mut other = with_proof(&app).await;
    let mut browser = with_proof(&app).await;
    let chosen = browser
        .page()
        .form_with("password")
        .fill("password", NEW_PASSWORD);
    app.settle().await;

    let before = resting(&app).await;
    let db = app.companion.store.writer();
    for (statement, rows) in LATE {
        let trigger = format!(
            "CREATE TRIGGER fails BEFORE {statement} WHEN {rows} BEGIN SELECT RAISE(ABORT, 'no room'); END"
        );
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(db).await.unwrap();
        browser.submit(chosen.clone()).await;
        sqlx::raw_sql("DROP TRIGGER fails").execute(db).await.unwrap();
        assert_eq!(browser.page().status, 500, "{statement} of {rows}");
        browser.page().assert_guarded();
        assert_eq!(resting(&app).await, before, "{statement} of {rows}");
    }

    // And all of it still does what it is for.
    assert!(opens(&app, OLD_PASSWORD).await && !opens(&app, NEW_PASSWORD).await);
    assert_eq!(elsewhere.get_once("/account").await.status, 200);
    let client = &app.site.client;
    assert!(client.user_info(&session).await.is_ok());
    let session = client.refresh(&session).await.unwrap();
    elsewhere.open(callback.as_str()).await;
    elsewhere.assert_says("Signed in as ada@example.com");
    let tokens = device::poll(&app, &device_code).await;
    assert!(tokens["access_token"].is_string(), "{tokens}");
    waiting.enter_code(&its_code).await;
    waiting.assert_at("/forgot-password/password");
    assert!(peer.asked().is_empty(), "nobody is told of what did not happen");

    // The same proof sets the password once there is room, and then everything ends.
    let of_other = other
        .page()
        .form_with("password")
        .fill("password", "another one, by a thief");
    browser.submit(chosen).await;
    browser.assert_at("/forgot-password/done");
    assert!(!opens(&app, OLD_PASSWORD).await && opens(&app, NEW_PASSWORD).await);
    assert_eq!(elsewhere.get_once("/account").await.status, 303);
    assert!(matches!(
        client.refresh(&session).await,
        Err(Error::Exchange(ExchangeError::InvalidGrant))
    ));
    other.submit(of_other).await;
    assert!(opens(&app, NEW_PASSWORD).await);
}

/// Every row there is, but those that count requests, each a write of its own.
async fn resting(app: &TestApp) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut rows = app.rows().await;
    rows.remove("limits");
    rows
}
