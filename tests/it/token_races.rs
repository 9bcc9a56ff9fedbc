//! One authorization code or refresh token, many times at once.

use keyback_tests::{ADA, APP_SECRET, Browser, OLD_PASSWORD, TestApp, counts};
use reqwest::header;
use serde_json::Value;
use tokio::task::JoinSet;

/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Ada, signed in.
async fn signed_in() -> (TestApp, Browser) {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    (app, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn sr79_of_many_refreshes_with_one_token_at_once_the_family_survives() {
    let (app, mut browser) = signed_in().await;
    browser.open(&app.site.at("/sign-in")).await;
    let session = app.site.session_of(&browser).unwrap();
    let mut running = JoinSet::new();
    for _ in 0..counts(100, 500) {
        let (client, session) = (app.site.client.clone(), session.clone());
        running.spawn(async move { client.refresh(&session).await });
    }
    let renewed: Vec<_> = running.join_all().await.into_iter().map(Result::unwrap).collect();
    let first = renewed[0].refresh_token();
    // A repeat within five seconds gets the same answer: no tab is thrown out by another.
    assert!(renewed.iter().all(|session| session.refresh_token() == first));
    assert!(app.site.client.refresh(&renewed[0]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sr78_of_a_hundred_callbacks_with_one_code_at_once_one_signs_in() {
    let count = counts(100, 500);
    let (app, browser) = signed_in().await;
    let to_provider = browser.get_once(&app.site.at("/sign-in")).await;
    let to_shop = browser.get_once(to_provider.location().unwrap().as_str()).await;
    let callback = to_shop.location().unwrap();
    let mut running = JoinSet::new();
    for _ in 0..count {
        let (tab, callback) = (browser.clone(), callback.clone());
        running.spawn(async move { tab.get_once(callback.as_str()).await.status });
    }
    let answers = running.join_all().await;
    let of = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((of(303), of(400)), (1, count - 1), "{answers:?}");
}

/// The others hold the same code: whoever was first has tokens of a thief, or is one, and they end.
#[tokio::test(flavor = "multi_thread")]
async fn sr78_of_a_hundred_exchanges_of_one_code_at_once_one_gets_tokens_and_they_end() {
    let count = counts(100, 500);
    let (app, browser) = signed_in().await;
    let callback = app.site.at("/callback");
    let mut url = app.url.join("/oidc/auth").unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", "shop"),
        ("response_type", "code"),
        ("redirect_uri", &callback),
        ("scope", "openid offline_access"),
        ("state", "a state of the shop"),
        ("nonce", "a nonce of the shop"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let to_shop = browser.get_once(url.as_str()).await.location().unwrap();
    let code = to_shop.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.unwrap_or_else(|| panic!("no code: {}", to_shop.path()));
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &callback),
            ("code_verifier", VERIFIER),
        ])
        .finish();
    let http = reqwest::Client::new();
    let mut running = JoinSet::new();
    for _ in 0..count {
        let request = http
            .post(app.url.join("/oidc/token").unwrap())
            .basic_auth("shop", Some(APP_SECRET))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.clone());
        running.spawn(async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            (status, body)
        });
    }
    let answers = running.join_all().await;
    let used = |(status, body): &&(u16, Value)| *status == 400 && body["error"] == "invalid_grant";
    assert_eq!(answers.iter().filter(used).count(), count - 1, "{answers:?}");
    let (_, tokens) = answers.iter().find(|(status, _)| *status == 200).unwrap();
    let userinfo = http
        .get(app.url.join("/oidc/me").unwrap())
        .bearer_auth(tokens["access_token"].as_str().unwrap());
    assert_eq!(userinfo.send().await.unwrap().status(), 401);
}
