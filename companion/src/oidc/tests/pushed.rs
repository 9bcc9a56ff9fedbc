use std::time::Duration;

use super::*;
use crate::http::client_ip::ClientAddress;
use crate::store::pushed_requests::{self, MOST_PER_APP, NewPushedRequest};

const URI: &str = "urn:ietf:params:oauth:request_uri:";

/// The parameters of an authorization request, as a form.
fn form<'a>(challenge: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = [
        ("client_id", "spa"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "the state"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ];
    changed(&base, changes)
}

async fn push(bench: &Bench, changes: &[(&str, &str)]) -> Answer {
    let challenge = digest_of(VERIFIER);
    bench.post("/oidc/request", &form(&challenge, changes), &[]).await
}

async fn pushed(bench: &Bench, changes: &[(&str, &str)]) -> String {
    let answer = push(bench, changes).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

async fn bring(bench: &Bench, client_id: &str, request_uri: &str, cookies: &str) -> Answer {
    let query = form_of(&[("client_id", client_id), ("request_uri", request_uri)]);
    bench.get(&format!("/oidc/auth?{query}"), cookies).await
}

#[tokio::test]
async fn rfc9126_2_2_a_pushed_request_is_answered_with_a_reference_for_sixty_seconds() {
    let bench = Bench::new().await;
    let answer = push(&bench, &[]).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(answer.json()["expires_in"], 60);
    let reference = answer.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(
        reference.strip_prefix(URI).unwrap().len() >= 43,
        "256 bits: {reference}"
    );
    let other = pushed(&bench, &[]).await;
    assert_ne!(other, reference);
}

#[tokio::test]
async fn rfc9126_4_the_browser_brings_the_reference_and_nothing_beside_it_counts() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let changes = [("scope", "openid email"), ("response_mode", "form_post")];
    let uri = pushed(&bench, &changes).await;
    let query = form_of(&[
        ("client_id", "spa"),
        ("request_uri", &uri),
        ("scope", "openid offline_access"),
        ("redirect_uri", "https://evil.example/"),
        ("state", "another"),
        ("response_mode", "query"),
        ("prompt", "login"),
    ]);
    let answer = bench.get(&format!("/oidc/auth?{query}"), &cookie).await;
    let (action, code) = answer.posted("code");
    assert_eq!(action, CALLBACK);
    assert_eq!(answer.posted("state").1.as_deref(), Some("the state"));
    let tokens = bench.exchange(&code.unwrap(), &[]).await.json();
    assert_eq!(tokens["scope"], "openid email");
    assert!(tokens.get("refresh_token").is_none());
}

#[tokio::test]
async fn rfc9126_7_3_a_reference_serves_once_its_own_app_and_a_minute_long() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let uri = pushed(&bench, &[]).await;
    let expired = |answer: Answer| {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert!(answer.body.starts_with("Expired"), "{}", answer.body);
        assert!(!answer.headers.contains_key(header::LOCATION));
    };
    expired(bring(&bench, "web", &uri, &cookie).await);
    assert!(bring(&bench, "spa", &uri, &cookie).await.sent("code").is_some());
    expired(bring(&bench, "spa", &uri, &cookie).await);
    expired(bring(&bench, "spa", &format!("{URI}made-up"), &cookie).await);
    let late = pushed(&bench, &[]).await;
    bench.clock.advance(Duration::from_secs(60));
    expired(bring(&bench, "spa", &late, &cookie).await);
    let twice = form_of(&[("client_id", "spa"), ("request_uri", &uri), ("request_uri", &uri)]);
    expired(bench.get(&format!("/oidc/auth?{twice}"), &cookie).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc9126_4_of_a_hundred_browsers_at_once_one_is_served() {
    let bench = Arc::new(Bench::new().await);
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let uri = pushed(&bench, &[]).await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (bench, uri, cookie) = (bench.clone(), uri.clone(), cookie.clone());
        running.spawn(async move { bring(&bench, "spa", &uri, &cookie).await.status });
    }
    let answers = running.join_all().await;
    let of = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((of(StatusCode::SEE_OTHER), of(StatusCode::BAD_REQUEST)), (1, 99));
}

#[tokio::test]
async fn rfc9126_2_1_clients_authenticate_as_at_the_token_endpoint() {
    let bench = Bench::new().await;
    let web = |secret| {
        [
            ("client_id", "web"),
            ("redirect_uri", "https://web.example/cb"),
            ("client_secret", secret),
        ]
    };
    let uri = pushed(&bench, &web(SECRET)).await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    assert!(bring(&bench, "web", &uri, &cookie).await.sent("code").is_some());
    for wrong in ["", "wrong-secret"] {
        let answer = push(&bench, &web(wrong)).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::UNAUTHORIZED, "invalid_client")
        );
    }
    let machine = push(&bench, &[("client_id", "machine"), ("client_secret", SECRET)]).await;
    assert_eq!(machine.error(), "unauthorized_client");
}

#[tokio::test]
async fn rfc9126_2_3_the_checks_are_those_of_the_authorization_endpoint_and_refuse_at_once() {
    let bench = Bench::new().await;
    for (change, error) in [
        (("request_uri", "https://spa.example/request"), "invalid_request"),
        (
            ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
            "invalid_request",
        ),
        (("request", "eyJ"), "request_not_supported"),
        (("redirect_uri", "https://evil.example/"), "invalid_request"),
        (("redirect_uri", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("scope", "unheard"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("prompt", "none login"), "invalid_request"),
        (("max_age", "soon"), "invalid_request"),
        (("id_token_hint", "not.a.token"), "invalid_request"),
        (("resource", "https://nowhere.example"), "invalid_target"),
        (("first_screen", "bogus"), "invalid_request"),
        (("nonce", "a\nb"), "invalid_request"),
    ] {
        let answer = push(&bench, &[change]).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::BAD_REQUEST, error),
            "{change:?}"
        );
    }
    let long = "s".repeat(17_000);
    assert_eq!(
        push(&bench, &[("state", &long)]).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        bench.get("/oidc/request", "").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn rfc9126_4_what_the_session_does_not_answer_is_told_to_the_app_or_asked() {
    let bench = Bench::new().await;
    let silent = pushed(&bench, &[("prompt", "none")]).await;
    assert_eq!(bring(&bench, "spa", &silent, "").await.error(), "login_required");
    let asks = pushed(&bench, &[]).await;
    assert!(
        bring(&bench, "spa", &asks, "")
            .await
            .location()
            .starts_with("/sign-in?i=")
    );
}

#[tokio::test]
async fn rfc9126_6_an_app_that_must_push_is_refused_what_a_browser_brings() {
    let bench = Bench::new().await;
    let own = [
        ("client_id", "pusher"),
        ("redirect_uri", "https://pusher.example/callback"),
    ];
    let plain = bench.authorize(&own, "").await;
    assert_eq!(plain.error(), "invalid_request");
    assert!(plain.location().starts_with("https://pusher.example/callback?"));
    let uri = pushed(&bench, &own).await;
    assert!(bring(&bench, "pusher", &uri, "").await.sent("i").is_some());
}

#[tokio::test]
async fn rfc9126_7_pushed_requests_of_an_app_are_bounded_and_the_oldest_goes() {
    let bench = Bench::new().await;
    let first = pushed(&bench, &[]).await;
    let mut tx = bench.store.begin().await.unwrap();
    for n in 1..MOST_PER_APP {
        let digest = n.to_string();
        let new = NewPushedRequest {
            digest: &digest,
            client_id: "spa",
            request: "{}",
            expires_at: bench.now() + Duration::from_secs(61),
        };
        pushed_requests::add(&mut tx, &new, bench.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    bench.clock.advance(Duration::from_secs(2));
    let next = pushed(&bench, &[]).await;
    assert_eq!(
        bring(&bench, "spa", &first, "").await.status,
        StatusCode::BAD_REQUEST
    );
    assert!(bring(&bench, "spa", &next, "").await.sent("i").is_some());
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pushed_requests")
        .fetch_one(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(count, MOST_PER_APP - 1, "one was taken");
    bench.clock.advance(Duration::from_secs(61));
    bench.provider.sweep(bench.now()).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pushed_requests")
        .fetch_one(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(left, 0, "SR-86");
}

/// A push from an address.
async fn push_from(bench: &Bench, address: &str, changes: &[(&str, &str)]) -> Answer {
    let challenge = digest_of(VERIFIER);
    let mut request = Request::post("/oidc/request")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form_of(&form(&challenge, changes))))
        .unwrap();
    request
        .extensions_mut()
        .insert(ClientAddress(address.parse().unwrap()));
    bench.send(request).await
}

#[tokio::test]
async fn rfc9126_2_3_who_pushes_for_an_app_without_a_secret_is_limited_by_address() {
    let bench = Bench::new().await;
    for _ in 0..200 {
        let answer = push_from(&bench, "192.0.2.7", &[]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    let refused = push_from(&bench, "192.0.2.7", &[]).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header(header::RETRY_AFTER), "3");
    assert_eq!(refused.error(), "temporarily_unavailable");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pushed_requests")
        .fetch_one(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(rows, 200);
    assert_eq!(
        push_from(&bench, "192.0.2.8", &[]).await.status,
        StatusCode::CREATED
    );
    let of_a_server = [
        ("client_id", "web"),
        ("redirect_uri", "https://web.example/cb"),
        ("client_secret", SECRET),
    ];
    let answer = push_from(&bench, "192.0.2.7", &of_a_server).await;
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "an app that proves itself pushes for all its people"
    );
}
