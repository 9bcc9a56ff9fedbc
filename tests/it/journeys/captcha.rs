//! A captcha before codes are sent, with a provider of the test's own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing};
use keyback_companion::config::app::Secret;
use keyback_companion::config::captcha::{CaptchaConfig, CaptchaProvider, CaptchaRoute};
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::metrics::Scraped;

/// Has no account.
const NOBODY: &str = "nobody@example.com";
pub(crate) const FIELD: &str = "captcha-answer";

/// Verifies answers as it is told to, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(super) url: Url,
    says: Arc<Mutex<Says>>,
}

struct Says {
    verdict: Value,
    status: StatusCode,
    slow: Duration,
    asked: Vec<HashMap<String, String>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let says = Says {
            verdict: json!({ "success": true }),
            status: StatusCode::OK,
            slow: Duration::ZERO,
            asked: Vec::new(),
        };
        let provider = Self {
            url: Url::parse(&format!("http://{address}")).unwrap(),
            says: Arc::new(Mutex::new(says)),
        };
        let routes = Router::new()
            .route("/verify", routing::post(verify))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    pub(super) fn answers(&self, verdict: Value) {
        self.says.lock().unwrap().verdict = verdict;
    }

    pub(crate) fn asked(&self) -> Vec<HashMap<String, String>> {
        std::mem::take(&mut self.says.lock().unwrap().asked)
    }

    pub(crate) fn config(&self) -> CaptchaConfig {
        CaptchaConfig {
            provider: Some(CaptchaProvider::Custom),
            site_key: Some("site-key".to_owned()),
            secret: Some(Secret::new("the secret of this site")),
            verify_url: self.url.join("/verify").ok(),
            allow_private: true,
            script_url: Url::parse("https://captcha.example/api.js").ok(),
            widget_class: Some("captcha".to_owned()),
            token_field: Some(FIELD.to_owned()),
            sources: vec![Url::parse("https://frames.captcha.example").unwrap()],
            ..CaptchaConfig::default()
        }
    }
}

async fn verify(State(provider): State<Provider>, body: String) -> Response {
    let form = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let (slow, answer) = {
        let mut says = provider.says.lock().unwrap();
        says.asked.push(form);
        (says.slow, (says.status, says.verdict.to_string()).into_response())
    };
    tokio::time::sleep(slow).await;
    answer
}

async fn with_captcha(change: impl FnOnce(&mut CaptchaConfig)) -> (TestApp, Provider) {
    let provider = Provider::start().await;
    let mut captcha = provider.config();
    change(&mut captcha);
    let app = TestApp::with(|config| {
        config.captcha = captcha;
        config.limits.sends_per_address = 1_000;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    (app, provider)
}

/// Asks for a code with an answer, as the script writes it into the form.
async fn ask(browser: &mut Browser, identifier: &str, answer: &str) {
    browser.open("/forgot-password").await;
    let action = browser.page().form_with("identifier").action;
    let fields = [("identifier", identifier), (FIELD, answer)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    browser.post_from_here(&action, fields.to_vec()).await;
}

#[tokio::test]
async fn sr13_a_code_is_sent_for_an_answer_which_serves_once() {
    let (app, provider) = with_captcha(|_| ()).await;
    let mut browser = app.browser();
    ask(&mut browser, ADA, "answer-1").await;
    browser.assert_at("/forgot-password/code");
    assert_eq!(app.letters_to(ADA).await.len(), 1);
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["secret"], "the secret of this site");
    assert_eq!(asked[0]["response"], "answer-1");
    assert_eq!(asked[0].len(), 2, "nothing about the visitor");

    ask(&mut browser, ADA, "answer-1").await;
    browser.assert_status(422);
    browser.assert_says("That check didn’t go through.");
    assert!(
        provider.asked().is_empty(),
        "an answer that was used is not looked at"
    );
    let rests: Vec<String> = sqlx::query_scalar("SELECT digest FROM captcha_answers")
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap();
    assert!(rests.len() == 1 && !rests[0].contains("answer"), "{rests:?}");
    app.advance(Duration::from_secs(3_600));
    app.companion.sweep().await.unwrap();
    assert_eq!(app.row_counts().await["captcha_answers"], 0);
}

#[tokio::test]
async fn sr13_an_answer_is_bound_to_the_route_and_to_this_site() {
    let (app, provider) = with_captcha(|_| ()).await;
    let mut browser = app.browser();
    let right = json!({ "success": true, "action": "keyback_send", "hostname": "localhost" });
    let cases = [
        (right.clone(), true),
        (
            json!({ "success": false, "error-codes": ["invalid-input-response"] }),
            false,
        ),
        (
            json!({ "success": true, "action": "keyback_resend", "hostname": "localhost" }),
            false,
        ),
        (
            json!({ "success": true, "action": "", "hostname": "localhost" }),
            false,
        ),
        (
            json!({ "success": true, "action": "keyback_send", "hostname": "evil.example" }),
            false,
        ),
    ];
    for (number, (verdict, good)) in cases.into_iter().enumerate() {
        provider.answers(verdict.clone());
        ask(&mut browser, ADA, &format!("answer-{number}")).await;
        assert_eq!(browser.page().status == 200, good, "{verdict}");
    }
    assert_eq!(app.letters_to(ADA).await.len(), 1);
    // Another code needs an answer of its own kind.
    provider.answers(right);
    ask(&mut browser, ADA, "one-more").await;
    app.advance(Duration::from_secs(60));
    for (action, status) in [("keyback_send", 422), ("keyback_resend", 200)] {
        provider.answers(json!({ "success": true, "action": action }));
        let form = browser.page().form_to("/forgot-password/code/resend").action;
        let fields = vec![(FIELD.to_owned(), format!("for {action}"))];
        browser.post_from_here(&form, fields).await;
        browser.assert_status(status);
    }
    browser.assert_says("A new code is on its way.");
}

#[tokio::test]
async fn sr13_while_it_is_down_nothing_is_sent_and_the_answer_is_the_same_for_everybody() {
    let (app, provider) =
        with_captcha(|captcha| captcha.timeout = keyback_companion::config::duration::Span::seconds(1)).await;
    let mut browser = app.browser();
    let mut answers = Vec::new();
    for (number, trouble) in ["status", "no-json", "secret", "slow"].into_iter().enumerate() {
        {
            let mut says = provider.says.lock().unwrap();
            says.status = if trouble == "status" {
                StatusCode::BAD_GATEWAY
            } else {
                StatusCode::OK
            };
            says.verdict = match trouble {
                "no-json" => json!("nothing"),
                "secret" => json!({ "success": false, "error-codes": ["invalid-input-secret"] }),
                _ => json!({ "success": true }),
            };
            says.slow = Duration::from_secs(if trouble == "slow" { 20 } else { 0 });
        }
        for identifier in [ADA, NOBODY] {
            ask(&mut browser, identifier, &format!("{identifier}-{number}")).await;
            browser.assert_status(503);
            assert_eq!(browser.page().header("retry-after"), "60", "{trouble}");
            browser.assert_says("so no code was sent");
            answers.push(browser.page().body.replace(identifier, "SOMEBODY"));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(app.letters_to(ADA).await.is_empty());
    assert_eq!(
        app.row_counts().await["reset_flows"],
        0,
        "nothing was begun either"
    );
}

/// However many addresses the answers come from; wrong ones are answered alike until then (SR-3).
#[tokio::test]
async fn sr13_the_provider_is_called_so_often_and_the_operator_sees_why_not_more() {
    let provider = Provider::start().await;
    let captcha = provider.config();
    let app = TestApp::with(|config| {
        config.captcha = captcha;
        config.limits.captchas_in_all = 4;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    provider.answers(json!({ "success": false }));
    let mut browser = app.browser();
    let mut answers = Vec::new();
    for (number, status) in [422, 422, 422, 422, 429, 429].into_iter().enumerate() {
        let identifier = if number % 2 == 0 { ADA } else { NOBODY };
        ask(&mut browser, identifier, &format!("wrong-{number}")).await;
        browser.assert_status(status);
        answers.push(browser.page().body.replace(identifier, "SOMEBODY"));
    }
    assert_eq!(provider.asked().len(), 4);
    assert!(answers[0] == answers[3] && answers[4] == answers[5] && answers[0] != answers[4]);
    // Who answers none is not held up by that.
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    // What the provider says is in no answer, and in the operator's numbers.
    app.advance(Duration::from_secs(600));
    provider.says.lock().unwrap().status = StatusCode::BAD_GATEWAY;
    ask(&mut browser, ADA, "nobody-looks").await;
    browser.assert_status(503);
    let told = Scraped::of(&app).await;
    let refused = ["captcha", "limit", "captcha_down"].map(|reason| told.refused("forgot_password", reason));
    assert_eq!(refused, [4.0, 2.0, 1.0]);
    app.companion.write_refusals().await.unwrap();
    assert_eq!(app.audited("refused").await, 3);
}

/// A visitor chooses the answer that the provider fails at: however many such one client sends, everybody else's is looked at.
/// What it fails at for five clients is its own trouble, which may take long to be told: nobody waits for it.
#[tokio::test]
async fn sr87_answers_that_the_provider_fails_at_keep_nobody_elses_back() {
    let provider = Provider::start().await;
    let captcha = provider.config();
    let app = TestApp::with(|config| {
        config.captcha = captcha;
        config.limits.sends_per_address = 1_000;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let ask_from = async |client: u8, answer: String| {
        let from = std::net::IpAddr::from([192, 0, 2, client]);
        let mut browser = app.browser().that_comes_from(from);
        ask(&mut browser, ADA, &answer).await;
        browser
    };
    provider.says.lock().unwrap().status = StatusCode::INTERNAL_SERVER_ERROR;
    for number in 0..12 {
        ask_from(1, format!("garbage {number}")).await.assert_status(503);
    }
    assert_eq!(provider.asked().len(), 12);
    assert_eq!(app.companion.breakers.open(), []);
    provider.says.lock().unwrap().status = StatusCode::OK;
    ask_from(9, "an honest one".to_owned()).await.assert_status(200);
    assert_eq!(app.letters_to(ADA).await.len(), 1);
    assert_eq!(provider.asked().len(), 1);
    provider.says.lock().unwrap().status = StatusCode::GATEWAY_TIMEOUT;
    for client in 1..=6 {
        ask_from(client, format!("in vain {client}"))
            .await
            .assert_status(503);
    }
    assert_eq!(provider.asked().len(), 5, "the sixth was not kept waiting");
    assert_eq!(app.companion.breakers.open().len(), 1);
}

/// Nobody waits for its silence: after the answers of five clients that it was silent at, none is sent there for a while, and
/// nothing is let through. One client's alone tell nothing of it.
#[tokio::test]
async fn sr87_while_it_is_silent_it_is_left_alone_and_lets_nobody_pass() {
    let provider = Provider::start().await;
    let mut captcha = provider.config();
    captcha.timeout = keyback_companion::config::duration::Span::seconds(1);
    let app = TestApp::with(|config| {
        config.captcha = captcha;
        config.limits.sends_per_address = 1_000;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    provider.says.lock().unwrap().slow = Duration::from_secs(20);
    // All at once: each waits for a second.
    let ask_from = async |clients: Vec<u8>| {
        let mut running = tokio::task::JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            let from = std::net::IpAddr::from([192, 0, 2, client]);
            let mut browser = app.browser().that_comes_from(from);
            running.spawn(async move {
                ask(&mut browser, ADA, &format!("in vain {client} {number}")).await;
                browser.assert_status(503);
            });
        }
        running.join_all().await;
    };
    ask_from(vec![1; 12]).await;
    assert_eq!(app.companion.breakers.open(), [], "one client's");
    ask_from(vec![2, 3, 4, 5]).await;
    assert_eq!(app.companion.breakers.open().len(), 1);
    let asked = provider.asked().len();
    let mut browser = app.browser();
    provider.says.lock().unwrap().slow = Duration::ZERO;
    ask(&mut browser, ADA, "too early").await;
    browser.assert_status(503);
    assert_eq!((asked, provider.asked().len()), (16, 0));
    app.advance(Duration::from_secs(5));
    ask(&mut browser, ADA, "in time").await;
    browser.assert_status(200);
    assert_eq!(app.letters_to(ADA).await.len(), 1);
}

#[tokio::test]
async fn sr13_without_a_script_the_code_comes_later_and_few_do() {
    let (app, provider) = with_captcha(|_| ()).await;
    let mut answers = Vec::new();
    for identifier in [ADA, NOBODY] {
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.assert_says("Without JavaScript, the code comes a few minutes later.");
        browser.ask_reset(identifier).await;
        browser.assert_at("/forgot-password/code");
        browser.assert_says("the code comes a few minutes later");
        answers.push(browser.page().text().replace(identifier, "SOMEBODY"));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(app.letters_to(ADA).await.is_empty(), "it waits");
    app.advance(Duration::from_secs(119));
    assert!(app.letters_to(ADA).await.is_empty());
    app.advance(Duration::from_secs(1));
    assert_eq!(app.letters_to(ADA).await.len(), 1);
    assert!(provider.asked().is_empty());
    // The code works.
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    app.advance(Duration::from_secs(120));
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
    // Three in ten minutes from one address.
    for status in [200, 429] {
        browser.open("/forgot-password").await;
        browser.ask_reset(NOBODY).await;
        if browser.page().status == 429 {
            assert_eq!(status, 429);
        }
    }
    browser.assert_says("Too many requests.");
}

#[tokio::test]
async fn sr13_the_policy_allows_the_provider_on_its_pages_alone() {
    let (app, _provider) = with_captcha(|captcha| captcha.on = vec![CaptchaRoute::Send]).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    let policy = browser.page().header("content-security-policy").to_owned();
    let origins = "https://captcha.example https://frames.captcha.example";
    for part in [
        format!("; frame-src {origins}"),
        format!("; connect-src {origins}"),
        format!("' {origins}; img-src"),
        "default-src 'none'".to_owned(),
        "object-src 'none'".to_owned(),
    ] {
        assert!(policy.contains(&part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let body = browser.page().body.clone();
    assert!(body.contains("<script src=\"https://captcha.example/api.js\" async defer></script>"));
    assert!(body.contains("data-sitekey=\"site-key\" data-action=\"keyback_send\""));
    // The other pages know nothing of it, and no page does where none is configured.
    ask(&mut browser, ADA, "answer").await;
    browser.assert_at("/forgot-password/code");
    let plain = TestApp::start().await;
    let mut elsewhere = plain.browser();
    elsewhere.open("/forgot-password").await;
    let mut at_sign_in = app.browser();
    at_sign_in.open("/sign-in").await;
    for page in [browser.page(), elsewhere.page(), at_sign_in.page()] {
        assert!(!page.header("content-security-policy").contains("captcha"));
        assert!(!page.body.contains("captcha") && !page.body.contains("noscript"));
    }
}
