//! Codes by SMS that cost too much: nobody who asks is told, the operator is.

use keyback_companion::config::Config;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};

/// Numbers of accounts; the first two differ in their last digits alone.
const NUMBERS: [&str; 3] = ["+14155550123", "+14155550177", "+14155560123"];
const NOBODY: &str = "+14155570123";
const CANADIAN: &str = "+14165550123";

async fn with_numbers(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(change).await;
    for phone in NUMBERS.into_iter().chain([CANADIAN]) {
        let user = NewUser {
            phone: Some(phone.to_owned()),
            verified: true,
            ..NewUser::default()
        };
        app.add(user, Some(OLD_PASSWORD)).await;
    }
    app
}

/// Asks for a code; answers what the page says, and how many codes have come to the number.
async fn ask(app: &TestApp, number: &str) -> (String, usize) {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(number).await;
    browser.assert_at("/forgot-password/code");
    browser.assert_status(200);
    let shown = browser.page().text_of("bdi").unwrap();
    let says = browser.page().text().replace(&shown, "NUMBER");
    (says, app.letters_to(number).await.len())
}

/// The causes in the audit trail, in order.
async fn causes(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT json_extract(detail, '$.cause') FROM audit WHERE event = 'text_message_held_back' \
         AND actor = 'companion' AND subject IS NOT NULL AND detail NOT LIKE '%555%' ORDER BY rowid",
    )
    .fetch_all(app.companion.store.reader())
    .await
    .unwrap()
}

#[tokio::test]
async fn sr14_numbers_of_other_countries_get_no_code_and_the_page_is_the_same() {
    let app = with_numbers(|config| config.sms.countries = vec!["US".parse().unwrap()]).await;
    let (sent, held_back) = (ask(&app, NUMBERS[0]).await, ask(&app, CANADIAN).await);
    assert_eq!((sent.1, held_back.1), (1, 0));
    assert_eq!(sent.0, held_back.0);
    assert_eq!(causes(&app).await, ["countries"]);
}

#[tokio::test]
async fn sr14_numbers_in_a_row_get_so_many_codes_and_the_page_is_the_same() {
    let app = with_numbers(|config| config.sms.messages_per_prefix = 1).await;
    let (sent, held_back) = (ask(&app, NUMBERS[0]).await, ask(&app, NUMBERS[1]).await);
    assert_eq!((sent.1, held_back.1), (1, 0));
    assert_eq!(sent.0, held_back.0);
    assert_eq!(ask(&app, NUMBERS[2]).await.1, 1, "others are not concerned");
    assert_eq!(causes(&app).await, ["messages_per_prefix"]);
}

#[tokio::test]
async fn sr14_a_day_costs_no_more_than_it_may_and_begins_anew() {
    let app = with_numbers(|config| {
        config.sms.spend_per_day = Some("0.30".parse().unwrap());
        config.sms.price_elsewhere = Some("0.2".parse().unwrap());
        config.sms.prices = [("US".to_owned(), "0.15".parse().unwrap())].into();
    })
    .await;
    // What is asked for in vain costs nothing.
    let unknown = ask(&app, NOBODY).await;
    let sent = [ask(&app, NUMBERS[0]).await, ask(&app, NUMBERS[1]).await];
    let held_back = ask(&app, NUMBERS[2]).await;
    assert_eq!((unknown.1, sent[0].1, sent[1].1, held_back.1), (0, 1, 1, 0));
    assert!(
        [&unknown.0, &sent[1].0, &held_back.0]
            .iter()
            .all(|says| **says == sent[0].0)
    );
    assert_eq!(causes(&app).await, ["spend_per_day"]);
    app.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(ask(&app, NUMBERS[2]).await.1, 1);
}

#[tokio::test]
async fn sr14_a_day_has_so_many_messages_of_which_notices_are_not_held_back() {
    let app = with_numbers(|config| config.sms.messages_per_day = 1).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(NUMBERS[0]).await;
    browser.enter_code(&app.last_code_for(NUMBERS[0]).await).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    assert_eq!(
        app.letters_to(NUMBERS[0]).await.len(),
        2,
        "the code, and the notice"
    );
    assert_eq!(ask(&app, NUMBERS[2]).await.1, 0);
    assert_eq!(causes(&app).await, ["messages_per_day"]);
}

/// SR-15: whoever asks for a text message reads what it risks, and is offered the e-mail beside it where there is one.
#[tokio::test]
async fn sr15_the_page_tells_the_risk_of_text_messages_and_offers_the_e_mail() {
    let risk = "Whoever takes over a phone number reads its text messages.";
    for email in [Some(EmailConnectorKind::Inbox), None] {
        let app = with_numbers(|config| config.email.connector = email).await;
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(NUMBERS[0]).await;
        browser.assert_says(risk);
        if email.is_none() {
            browser.click("Use another number").await;
            browser.assert_at("/forgot-password");
            continue;
        }
        browser.click("an e-mail address").await;
        browser.assert_at("/forgot-password");
        browser.ask_reset(ADA).await;
        browser.assert_at("/forgot-password/code");
        assert!(!browser.page().text().contains(risk));
    }
}
