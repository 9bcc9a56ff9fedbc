//! What the log tells, and what it never tells.

use std::fs::File;

use keyback_tests::{ADA, Demo, NEW_PASSWORD, OLD_PASSWORD, Server, Workplace, eventually, wire};

use crate::journeys::links::link_in;

/// What the links of the notices carry, by mail and by text message.
async fn freeze_tokens(demo: &Demo) -> Vec<String> {
    let browser = demo.browser();
    eventually("both notices", async || {
        let inbox = browser.get_once("/dev/inbox.json").await;
        let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
        let texts = letters
            .as_array()
            .unwrap()
            .iter()
            .map(|letter| letter["text"].as_str().unwrap());
        let tokens: Vec<String> = texts
            .filter_map(|text| text.split_once("/not-me?t=")?.1.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        (tokens.len() == 2).then_some(tokens)
    })
    .await
}

#[tokio::test]
async fn sr31_no_code_password_address_or_cookie_stands_in_the_log() {
    let workplace = Workplace::empty();
    let log = workplace.path("log");
    let demo = Demo::start_logging(
        File::create(&log).unwrap(),
        "trace,hyper=debug,h2=debug,sqlx=debug",
    )
    .await;
    let mut browser = demo.browser();
    browser
        .open(demo.site.join("/forgot-password").unwrap().as_str())
        .await;
    browser.ask_reset(ADA).await;
    let code = demo.code_for(ADA, 1).await;
    let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    browser.enter_code(&wrong).await;
    browser.enter_code(&code).await;
    let cookies: Vec<String> = browser
        .cookie_names(&demo.companion)
        .iter()
        .filter_map(|name| browser.cookie(&demo.companion, name))
        .flat_map(|value| value.split('.').map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| part.len() > 20)
        .collect();
    assert!(
        cookies.len() >= 3,
        "binding, proof and the shop's pending sign-in"
    );
    browser.choose_password("ada1234").await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    let session = browser.cookie(&demo.companion, "kb_session").unwrap();
    let callback = browser.hop_to("/callback").url.clone();
    let of_callback = callback.query_pairs().filter(|(name, _)| name == "code");
    let authorization_code = of_callback.map(|(_, value)| value.into_owned()).next().unwrap();
    let tokens = freeze_tokens(&demo).await;
    for token in &tokens {
        let mut browser = demo.browser();
        browser.open(&format!("/not-me?t={token}")).await;
        let form = browser.page().form_to("/not-me");
        browser.submit(form).await;
        browser.assert_at("/not-me/frozen");
    }
    assert_eq!(demo.terminate().await, Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.lines().count() > 10, "{log}");
    let secrets = [code, wrong, session, authorization_code]
        .into_iter()
        .chain(tokens)
        .chain([NEW_PASSWORD, OLD_PASSWORD, "ada1234", ADA].map(str::to_owned))
        .chain(cookies);
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// Neither of a link in a mail of ours, opened and pressed where it acts and elsewhere, nor of one in a mail of an app's.
#[tokio::test]
async fn sr29_sr31_no_secret_of_a_link_stands_in_the_log() {
    const OF_APP: &str = "a-token-of-an-app-of-forty-three-characters";
    let detail = "trace,hyper=debug,h2=debug,sqlx=debug";
    let server = Server::start("[reset]\nlinks = true\n", detail).await;
    let add = ["user", "add", "--email", ADA, "--password-stdin"];
    server
        .workplace
        .run_with_input(&add, OLD_PASSWORD)
        .await
        .assert_done();
    let mut browser = server.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let link = eventually("the mail", async || {
        let inbox = browser.get_once("/dev/inbox.json").await;
        let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
        link_in(letters[0]["text"].as_str()?)
    })
    .await;
    for (mut browser, button) in [
        (server.browser(), "/forgot-password/link"),
        (browser, "/forgot-password/code"),
    ] {
        browser.open(link.as_str()).await;
        let press = browser.page().form_to(button);
        browser.submit(press).await;
        browser.assert_status(200);
    }
    let mut brought = server.browser();
    brought
        .open(&format!(
            "/oidc/auth?client_id=shop&redirect_uri=http%3A%2F%2Flocalhost%3A9000%2Fcallback&response_type=code\
             &scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
             &first_screen=reset-password&login_hint=ada%40example.com&one_time_token={OF_APP}"
        ))
        .await;
    brought.assert_at("/forgot-password/token");
    let log = server.log();
    assert!(log.lines().count() > 10, "{log}");
    let (_, of_link) = link.query_pairs().find(|(name, _)| name == "t").unwrap();
    for secret in [&*of_link, OF_APP] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// The library of the numbering plans traces what it reads; it is told not to.
#[tokio::test]
async fn sr31_no_phone_number_stands_in_the_log_however_it_is_typed() {
    let workplace = Workplace::empty();
    let log = workplace.path("log");
    let demo = Demo::start_logging(
        File::create(&log).unwrap(),
        "trace,hyper=debug,h2=debug,sqlx=debug",
    )
    .await;
    let mut browser = demo.browser();
    // The demo's country is that of its account.
    for typed in [
        "(415) 555-0123",
        "+1 415 555 0123",
        "415 555 01234",
        "+1 415 555 0199",
    ] {
        browser
            .open(demo.site.join("/forgot-password").unwrap().as_str())
            .await;
        browser.ask_reset(typed).await;
    }
    demo.code_for("+14155550123", 2).await;
    assert_eq!(demo.terminate().await, Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.lines().count() > 10, "{log}");
    for number in ["4155550123", "415 555 01", "555-0123", "4155550199"] {
        let line = log.lines().find(|line| line.contains(number));
        assert_eq!(line, None, "{number}");
    }
}

#[tokio::test]
async fn sr63_nobody_forges_a_line_of_the_log() {
    let workplace = Workplace::empty();
    let log = workplace.path("log");
    let demo = Demo::start_logging(File::create(&log).unwrap(), "debug").await;
    let port = demo.companion.port().unwrap();
    for target in [
        "/sign-in%0A2026-01-01T00:00:00Z%20ERROR%20forged",
        "/forgot-password?x=%0D%0Aforged%20line",
    ] {
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://evil.example\r\n\
             User-Agent: a\tb\\nforged line\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = wire::exchange(&demo.companion, request.as_bytes()).await;
        assert_eq!(wire::status(&answer), 403, "{answer}");
    }
    assert_eq!(demo.terminate().await, Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    for line in log.lines() {
        let begins = line.trim_start();
        // Every line begins with its own time, in the future of the forged one.
        assert!(
            begins.starts_with("20") && !begins.starts_with("2026-01-01"),
            "{line}"
        );
        assert!(!begins.starts_with("forged"), "{line}");
    }
}
