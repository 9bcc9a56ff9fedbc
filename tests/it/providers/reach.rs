//! Operators are told whether their providers answer: by `check-config`, in the log and by `/readyz`.

use std::process::{Child, Stdio};

use keyback_tests::{Behaviour, Browser, MessageProvider, Workplace, eventually, free_port};
use url::Url;

use super::{ACCOUNT, TOKEN};

fn twilio(provider: &MessageProvider) -> String {
    format!(
        "[sms]\nconnector = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\nfrom = \"Larkspur\"\n\
         endpoint = \"{}\"\n",
        provider.url
    )
}

fn with(workplace: &Workplace, sections: &str) {
    let sound = workplace.sound();
    workplace.write(&sound.replace("[[app]]", &format!("{sections}[[app]]")));
}

#[tokio::test]
async fn check_config_says_what_each_connector_is_and_whether_it_answers() {
    let workplace = Workplace::new().await;
    let sms = MessageProvider::start(Behaviour::Says(200, "", "{}")).await;
    with(&workplace, &twilio(&sms));
    let checked = workplace.run(&["check-config"]).await;
    let said = checked.assert_done().out.clone();
    assert!(said.contains("Twilio at 127.0.0.1 answers"), "{said}");
    assert!(said.contains("e-mail goes to the development inbox"), "{said}");
    // It asked for the account, with its credentials, and sent nothing.
    let asked = sms.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "GET"));
    assert_eq!(asked[0].path, format!("/2010-04-01/Accounts/{ACCOUNT}.json"));
    assert_eq!(
        asked[0].basic_credentials(),
        Some((ACCOUNT.to_owned(), TOKEN.to_owned()))
    );

    for (status, told) in [
        (401, "it refuses account_sid and auth_token"),
        (404, "it knows no such account_sid"),
        (503, "answered 503"),
    ] {
        sms.behave(Behaviour::Says(status, "", "{}"));
        let refused = workplace.run(&["check-config"]).await;
        refused.assert_refused(&["Twilio at 127.0.0.1 can't be reached", told]);
        assert!(!refused.err.contains(TOKEN));
    }
}

/// All connectors are asked, not only the first that fails; a key in a path is not printed.
#[tokio::test]
async fn check_config_tells_of_every_connector() {
    let workplace = Workplace::new().await;
    let email = MessageProvider::start(Behaviour::Says(405, "", "")).await;
    let gone = MessageProvider::start(Behaviour::Takes).await;
    let gone_url = gone.url.clone();
    drop(gone);
    let sections = format!(
        "url = \"{}path-with-a-key\"\n[sms]\nconnector = \"http\"\nurl = \"{gone_url}another-key\"\n\
         [sms.headers]\nauthorization = \"Bearer secret\"\n",
        email.url
    );
    let sound = workplace
        .sound()
        .replace("connector = \"inbox\"", "connector = \"http\"");
    let here = sound.replace("[[app]]", &format!("{sections}[[app]]"));
    workplace.write(&here);
    let refused = workplace.run(&["check-config"]).await;
    assert!(
        refused.out.contains("the e-mail endpoint at 127.0.0.1 answers"),
        "{refused:?}"
    );
    refused.assert_refused(&["the SMS endpoint at 127.0.0.1 can't be reached"]);
    for secret in ["path-with-a-key", "another-key", "Bearer secret"] {
        assert!(
            !refused.out.contains(secret) && !refused.err.contains(secret),
            "{refused:?}"
        );
    }
    // A sign of life is no message: neither headers nor a body of ours.
    let asked = email.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].body.as_str()), ("HEAD", ""));
    assert!(!asked[0].headers.contains_key("authorization"));
}

/// `keyback serve`, killed when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn sr87_readyz_tells_that_a_provider_is_down_and_pages_do_not() {
    let workplace = Workplace::new().await;
    let sms = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let [port, admin] = [free_port(), free_port()];
    let sections = twilio(&sms);
    let config = workplace
        .sound()
        .replace(
            "listen = \"127.0.0.1:0\"",
            &format!("listen = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:{admin}\""),
        )
        .replace(":3001", &format!(":{port}"))
        .replace("[[app]]", &format!("{sections}[[app]]"));
    workplace.write(&config);
    let mut command = workplace.command(&["serve"]);
    let _serving = Serving(command.stderr(Stdio::null()).spawn().unwrap());
    eventually("the admin port to be open", async || {
        std::net::TcpStream::connect(("127.0.0.1", admin)).ok()
    })
    .await;
    let admin = Browser::at(&Url::parse(&format!("http://127.0.0.1:{admin}")).unwrap());
    let said = eventually("the first probe", async || {
        let page = admin.get_once("/readyz").await;
        (page.status == 503).then_some(page.body)
    })
    .await;
    assert_eq!(said, "sms: Twilio answered 503\n");
    assert_eq!(admin.get_once("/healthz").await.status, 200);
    let mut browser = Browser::at(&Url::parse(&format!("http://localhost:{port}")).unwrap());
    browser.open("/sign-in").await;
    browser.click("Forgot password?").await;
    browser.assert_says("E-mail or phone");
}
