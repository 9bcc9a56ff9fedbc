//! Mail by an endpoint that takes the payload of Logto's HTTP e-mail connector.

use keyback_companion::config::app::Secret;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_tests::{ADA, Behaviour, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp};

use super::{ask, message};

#[tokio::test]
async fn logto_payload_a_code_arrives_with_the_finished_mail_beside_it() {
    let endpoint = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = TestApp::with(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(endpoint.url.join("/logto").unwrap());
        config.email.headers = [(
            "authorization".to_owned(),
            Secret::new("the token of the endpoint"),
        )]
        .into();
        config.email.signing_key = Some(Secret::new("a key that signs, of 40 characters......"));
        config.email.signature_header = "x-signature".to_owned();
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (mut browser, sent) = ask(&app, " Ada@Example.com", &endpoint).await;
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/logto"));
    assert_eq!(sent.headers["authorization"], "the token of the endpoint");
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(sent.headers["x-signature"].starts_with("t="));
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    // Just Logto's members on top: who reads them strictly is not disturbed.
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["payload", "to", "type"]);
    assert_eq!(
        (&body["to"], &body["type"]),
        (&ADA.into(), &"ForgotPassword".into())
    );
    let payload = &body["payload"];
    let code = payload["code"].as_str().unwrap();
    assert_eq!((code.len(), &payload["locale"]), (6, &"en".into()));
    assert_eq!(payload["application"]["name"], "Larkspur Books");
    assert!(!payload["subject"].as_str().unwrap().contains(code));
    for part in ["text", "html"] {
        assert!(payload[part].as_str().unwrap().contains(code), "{part}");
    }
    browser.enter_code(code).await;
    browser.choose_password(NEW_PASSWORD).await;
    let notice = message(&endpoint, 2).await;
    let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
    assert_eq!(body["type"], "PasswordChanged");
    assert!(body["payload"].get("code").is_none() && body["payload"]["html"].is_string());
}
