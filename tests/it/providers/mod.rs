//! Messages over providers behind HTTP: Twilio, any SMS gateway, and an endpoint that takes Logto's mails.

mod breakers;
mod email;
mod lying_mail;
mod one_recipient;
mod reach;
mod sms;
mod trouble;

use keyback_companion::config::Config;
use keyback_companion::config::app::Secret;
use keyback_companion::config::duration::Span;
use keyback_companion::config::messages::{EmailConnectorKind, SmsConnectorKind};
use keyback_companion::store::users::NewUser;
use keyback_tests::{Asked, Browser, MessageProvider, OLD_PASSWORD, TestApp, eventually};

/// The account's number, and one that nobody has.
const PHONE: &str = "+14155550123";
const NOBODYS: &str = "+14155550199";
const ACCOUNT: &str = "AC0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const TOKEN: &str = "the auth token of the account";

fn over_twilio(config: &mut Config, provider: &MessageProvider) {
    config.sms.connector = Some(SmsConnectorKind::Twilio);
    config.sms.account_sid = Some(ACCOUNT.to_owned());
    config.sms.auth_token = Some(Secret::new(TOKEN));
    config.sms.from = Some("+14155550100".to_owned());
    config.sms.endpoint = Some(provider.url.clone());
    config.sms.default_region = Some("US".parse().unwrap());
}

fn over_http(config: &mut Config, provider: &MessageProvider) {
    config.sms.connector = Some(SmsConnectorKind::Http);
    config.sms.url = Some(provider.url.join("/sms").unwrap().to_string());
    config.sms.headers = [("authorization".to_owned(), Secret::new("Bearer of the gateway"))].into();
    // Nobody waits long for a provider that is mute.
    config.sms.timeout = Span::seconds(2);
}

fn mail_over_http(config: &mut Config, provider: &MessageProvider) {
    config.email.connector = Some(EmailConnectorKind::Http);
    config.email.url = Some(provider.url.join("/mail").unwrap());
    config.email.timeout = Span::seconds(2);
}

/// An app whose account has a verified phone number and no other address.
async fn with_phone(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(change).await;
    let user = NewUser {
        phone: Some(PHONE.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(user, Some(OLD_PASSWORD)).await;
    app
}

/// Asks for a code and waits for the message that carries it.
async fn ask(app: &TestApp, typed: &str, provider: &MessageProvider) -> (Browser, Asked) {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(typed).await;
    browser.assert_at("/forgot-password/code");
    (browser, message(provider, 1).await)
}

/// The newest message, once there are so many.
async fn message(provider: &MessageProvider, count: usize) -> Asked {
    eventually("a message", async || {
        let messages = provider.messages();
        (messages.len() >= count).then(|| messages.last().cloned())?
    })
    .await
}

/// The code of a text message, and that its last line is the origin-bound one: nothing before or after it.
fn code_of(text: &str) -> String {
    let last = text.lines().last().unwrap();
    let code = last
        .strip_prefix("@localhost #")
        .unwrap_or_else(|| panic!("{text:?}"));
    assert_eq!(code.len(), 6, "{text:?}");
    assert!(
        text.ends_with(last) && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{text:?}"
    );
    assert!(text.starts_with(code), "{text:?}");
    code.to_owned()
}
