//! "Forgot password?" shows only where a code can be sent.

use keyback_companion::config::Config;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};

async fn without_reset(change: impl FnOnce(&mut Config)) {
    let app = TestApp::with(change).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    assert!(browser.page().link("Forgot password?").is_none());
    browser.open("/forgot-password").await;
    browser.assert_status(404);
    browser.page().assert_guarded();
    // A reset request begins on the sign-in page then.
    browser.open(&app.site.at("/forgot-password")).await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
    assert_eq!(app.row_counts().await["reset_flows"], 0);
    // The account page offers none either.
    browser.open("/account/password").await;
    assert!(browser.page().link("Forgot it?").is_none());
}

#[tokio::test]
async fn without_any_connector_nothing_leads_to_the_reset() {
    without_reset(|config| {
        config.email.connector = None;
        config.sms.connector = None;
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_connector_is_none() {
    without_reset(|config| {
        config.email.connector = Some(EmailConnectorKind::Smtp);
        config.email.host = Some("127.0.0.1".to_owned());
        config.sms.connector = None;
    })
    .await;
}

#[tokio::test]
async fn without_an_inbox_there_is_no_page_of_it() {
    let app = TestApp::with(|config| {
        config.email.connector = None;
        config.sms.connector = None;
    })
    .await;
    for path in ["/dev/inbox", "/dev/inbox.json"] {
        assert_eq!(app.browser().get_once(path).await.status, 404, "{path}");
    }
}
