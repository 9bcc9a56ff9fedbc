//! Answers to an app that the browser posts (OAuth 2.0 Form Post Response Mode).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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

/// A request object that its app signed by nothing.
fn unsigned(payload: &Value) -> String {
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    format!("eyJhbGciOiJub25lIn0.{payload}.")
}

/// OIDC Core 6.1: what is asked may stand in the object alone, hence how its refusal is to travel, too.
#[tokio::test]
async fn oidc_core_6_1_a_request_object_is_refused_in_the_mode_and_with_the_state_that_it_holds() {
    let bench = Bench::new().await;
    let object = unsigned(&json!({ "response_mode": "form_post", "state": "of the object" }));
    let answer = bench.authorize(&[("request", &object), ("state", "")], "").await;
    let sent = |name| answer.posted(name).1;
    assert_eq!(
        answer.posted("error"),
        (CALLBACK.to_owned(), Some("request_not_supported".to_owned()))
    );
    assert_eq!(sent("state").as_deref(), Some("of the object"));
    assert_eq!(sent("iss").as_deref(), Some("http://localhost:3001/oidc"));

    // What the query says counts before it, one parameter at a time.
    let answer = bench.authorize(&[("request", &object)], "").await;
    assert_eq!(answer.posted("state").1.as_deref(), Some("the state"));
    let by_query = [
        ("request", object.as_str()),
        ("response_mode", "query"),
        ("state", ""),
    ];
    let answer = bench.authorize(&by_query, "").await;
    assert_eq!(answer.error(), "request_not_supported");
    assert_eq!(answer.sent("state").as_deref(), Some("of the object"));
    let unfit = [("request", object.as_str()), ("state", "a"), ("state", "b")];
    let answer = bench.authorize(&unfit, "").await;
    assert_eq!(answer.posted("state").1, None);
}

/// SR-71: an object leads nowhere and grants nothing, whatever it holds.
#[tokio::test]
async fn sr71_nothing_else_of_a_request_object_counts() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let whole = json!({
        "iss": "spa", "client_id": "native", "redirect_uri": "https://evil.example/", "response_type": "code",
        "scope": "openid", "nonce": "n", "prompt": "none", "request": "x", "error": "x", "code": "x",
    });
    let answer = bench.authorize(&[("request", &unsigned(&whole))], &cookie).await;
    let [at, query] = answer
        .location()
        .split('?')
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(at, CALLBACK);
    let names: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(names, ["error", "error_description", "state", "iss"]);
    assert_eq!(answer.error(), "request_not_supported");

    // A foreign address in the query stays a page.
    let object = unsigned(&json!({ "response_mode": "form_post", "redirect_uri": CALLBACK }));
    let foreign = [
        ("request", object.as_str()),
        ("redirect_uri", "https://evil.example/"),
    ];
    let answer = bench.authorize(&foreign, "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.starts_with("ForeignRedirect"), "{}", answer.body);

    // A mode that doesn't exist, or can't reach the app, and a state that is no plain text.
    for (payload, client) in [
        (json!({ "response_mode": "fragment", "state": "a\nb" }), "spa"),
        (
            json!({ "response_mode": "form_post", "state": "a\u{0}" }),
            "native",
        ),
    ] {
        let callback = match client {
            "native" => "com.example.app:/callback",
            _ => CALLBACK,
        };
        let object = unsigned(&payload);
        let changes = [
            ("client_id", client),
            ("redirect_uri", callback),
            ("request", &object),
            ("state", ""),
        ];
        let answer = bench.authorize(&changes, "").await;
        assert!(
            answer.location().starts_with(callback),
            "{payload}: {}",
            answer.location()
        );
        assert_eq!(answer.error(), "request_not_supported", "{payload}");
        assert_eq!(answer.sent("state"), None, "{payload}");
    }
}
