//! Answers to an app that the browser posts (OAuth 2.0 Form Post Response Mode).

use super::*;

#[tokio::test]
async fn form_post_2_a_code_is_posted_with_state_and_issuer() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let answer = bench.authorize(&[("response_mode", "form_post")], &cookie).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let (action, code) = answer.posted("code");
    assert_eq!(action, CALLBACK, "nothing of the answer stands in the address");
    assert_eq!(answer.posted("state").1.as_deref(), Some("the state"));
    assert_eq!(
        answer.posted("iss").1.as_deref(),
        Some("http://localhost:3001/oidc")
    );
    assert_eq!(bench.exchange(&code.unwrap(), &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn form_post_2_errors_are_posted_too() {
    let bench = Bench::new().await;
    for (change, error) in [
        (("prompt", "none"), "login_required"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("request", "eyJ"), "request_not_supported"),
        (("scope", "unheard"), "invalid_scope"),
    ] {
        let answer = bench
            .authorize(&[("response_mode", "form_post"), change], "")
            .await;
        assert_eq!(
            answer.posted("error"),
            (CALLBACK.to_owned(), Some(error.to_owned()))
        );
        assert_eq!(
            answer.posted("state").1.as_deref(),
            Some("the state"),
            "{change:?}"
        );
        assert_eq!(
            answer.posted("iss").1.as_deref(),
            Some("http://localhost:3001/oidc")
        );
    }
    let twice = [("response_mode", "form_post"), ("response_mode", "form_post")];
    assert_eq!(
        bench.authorize(&twice, "").await.error(),
        "invalid_request",
        "the default mode"
    );
}

#[tokio::test]
async fn form_post_no_form_is_posted_to_the_scheme_of_a_native_app() {
    let bench = Bench::new().await;
    let changes = |redirect_uri| {
        [
            ("client_id", "native"),
            ("redirect_uri", redirect_uri),
            ("response_mode", "form_post"),
            ("prompt", "none"),
        ]
    };
    let own = bench.authorize(&changes("com.example.app:/callback"), "").await;
    assert!(
        own.location()
            .starts_with("com.example.app:/callback?error=invalid_request")
    );
    let loopback = bench
        .authorize(&changes("http://127.0.0.1:51004/callback"), "")
        .await;
    assert_eq!(loopback.posted("error").1.as_deref(), Some("login_required"));
}
