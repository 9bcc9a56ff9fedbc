//! The whole way by text message: the code arrives at the provider, the password is set, the sign-in works.

use aws_lc_rs::hmac;
use keyback_companion::config::app::Secret;
use keyback_companion::config::messages::SmsConnectorKind;
use keyback_companion::config::sms::MessageMethod;
use keyback_core::time::Clock as _;
use keyback_tests::{Behaviour, Browser, MessageProvider, NEW_PASSWORD};

use super::{ACCOUNT, PHONE, TOKEN, ask, code_of, message, over_http, over_twilio, with_phone};

const KEY: &str = "a key that signs, of 40 characters......";

/// From the right code to the account page.
async fn finish(browser: &mut Browser, code: &str, signed_in_with: &str) {
    browser.enter_code(code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    browser.click("Sign in").await;
    browser.sign_in(signed_in_with, NEW_PASSWORD).await;
    browser.assert_at("/account");
    browser.assert_says("+1 415-555-0123");
}

#[tokio::test]
async fn sr33_by_twilio_a_code_arrives_and_the_notice_after_it() {
    let twilio = MessageProvider::start(Behaviour::Takes).await;
    let app = with_phone(|config| over_twilio(config, &twilio)).await;
    // As it is dialled in the configured country.
    let (mut browser, sent) = ask(&app, "(415) 555-0123", &twilio).await;
    browser.assert_says("+1 415-555-0123");
    assert_eq!(sent.path, format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    assert_eq!(
        sent.basic_credentials(),
        Some((ACCOUNT.to_owned(), TOKEN.to_owned()))
    );
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!sent.headers["idempotency-key"].is_empty());
    let form = sent.form();
    assert_eq!(
        (form["To"].as_str(), form["From"].as_str()),
        (PHONE, "+14155550100")
    );
    // Not after the code is worth nothing.
    assert_eq!(form["ValidityPeriod"], "600");
    let code = code_of(&form["Body"]);
    finish(&mut browser, &code, "415 555 0123").await;
    let notice = message(&twilio, 2).await;
    assert!(notice.form()["Body"].contains("password was reset"));
    assert_ne!(notice.headers["idempotency-key"], sent.headers["idempotency-key"]);
    app.settle().await;
    assert_eq!(twilio.messages().len(), 2);
}

#[tokio::test]
async fn sr33_by_a_gateway_with_json_and_a_signature() {
    let gateway = MessageProvider::start(Behaviour::Takes).await;
    let app = with_phone(|config| {
        over_http(config, &gateway);
        config.sms.signing_key = Some(Secret::new(KEY));
        config.sms.from = Some("Larkspur".to_owned());
        config.sms.body = Some(
            r#"{"messages":[{"to":{{ to_digits }},"from":{{ from }},"text":{{ text }}}],"ref":{{ id }}}"#
                .to_owned(),
        );
    })
    .await;
    let (mut browser, sent) = ask(&app, "+1 415 555 0123", &gateway).await;
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/sms"));
    assert_eq!(sent.headers["authorization"], "Bearer of the gateway");
    assert_eq!(sent.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    let text = &body["messages"][0];
    assert_eq!(
        (&text["to"], &text["from"]),
        (&"14155550123".into(), &"Larkspur".into())
    );
    assert_eq!(body["ref"], sent.headers["idempotency-key"].as_str());
    // The signature covers time and body; any receiver can check it.
    let (t, v1) = sent.headers["keyback-signature"].split_once(",v1=").unwrap();
    let t = t.strip_prefix("t=").unwrap();
    assert_eq!(t, app.clock.now().as_secs().to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    let signed = format!("{t}.{}", sent.body);
    hmac::verify(&key, signed.as_bytes(), &hex::decode(v1).unwrap()).unwrap();
    finish(&mut browser, &code_of(text["text"].as_str().unwrap()), PHONE).await;
}

/// Who has written an endpoint for Logto's HTTP SMS connector keeps it.
#[tokio::test]
async fn without_a_template_a_gateway_gets_logtos_payload() {
    let gateway = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = with_phone(|config| over_http(config, &gateway)).await;
    let (mut browser, sent) = ask(&app, PHONE, &gateway).await;
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        (&body["to"], &body["type"]),
        (&PHONE.into(), &"ForgotPassword".into())
    );
    let code = body["payload"]["code"].as_str().unwrap();
    assert_eq!(code_of(body["payload"]["text"].as_str().unwrap()), code);
    finish(&mut browser, code, PHONE).await;
    let notice = message(&gateway, 2).await;
    let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
    assert_eq!(
        (&body["type"], &body["payload"]["code"]),
        (&"PasswordChanged".into(), &serde_json::Value::Null)
    );
}

#[tokio::test]
async fn sr33_by_a_gateway_that_wants_a_get_or_a_form() {
    let gateway = MessageProvider::start(Behaviour::Says(202, "", "OK")).await;
    let app = with_phone(|config| {
        over_http(config, &gateway);
        config.sms.method = MessageMethod::Get;
        config.sms.url = Some(format!(
            "{}send?to={{{{ to }}}}&text={{{{ text }}}}&key=a%20b",
            gateway.url
        ));
        config.sms.success = vec![202];
    })
    .await;
    let (mut browser, sent) = ask(&app, PHONE, &gateway).await;
    assert_eq!((sent.method.as_str(), sent.body.as_str()), ("GET", ""));
    let query = sent.form();
    assert_eq!((query["to"].as_str(), query["key"].as_str()), (PHONE, "a b"));
    finish(&mut browser, &code_of(&query["text"]), PHONE).await;

    let gateway = MessageProvider::start(Behaviour::Takes).await;
    let app = with_phone(|config| {
        over_http(config, &gateway);
        config.sms.connector = Some(SmsConnectorKind::Http);
        config.sms.content_type = "application/x-www-form-urlencoded".to_owned();
        config.sms.body = Some("to={{ to }}&message={{ text }}".to_owned());
    })
    .await;
    let (mut browser, sent) = ask(&app, PHONE, &gateway).await;
    assert_eq!(sent.form()["to"], PHONE);
    finish(&mut browser, &code_of(&sent.form()["message"]), PHONE).await;
}
