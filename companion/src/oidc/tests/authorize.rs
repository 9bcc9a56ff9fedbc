use std::time::Duration;

use super::*;

#[tokio::test]
async fn rfc6749_4_1_2_a_live_session_is_answered_with_a_code_state_and_issuer() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let answer = bench.authorize(&[], &cookie).await;
    assert!(
        answer
            .location()
            .starts_with("https://spa.example/callback?code="),
        "{}",
        answer.location()
    );
    assert_eq!(answer.sent("state").as_deref(), Some("the state"));
    assert_eq!(
        answer.sent("iss").as_deref(),
        Some("http://localhost:3001/oidc"),
        "RFC 9207 2"
    );
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn rfc6749_4_1_2_1_unknown_apps_and_foreign_redirects_get_a_page_and_no_redirect() {
    let bench = Bench::new().await;
    for (changes, kind) in [
        (&[("client_id", "nobody")][..], "UnknownApp"),
        (&[("client_id", "")], "UnknownApp"),
        (&[("client_id", "machine")], "UnknownApp"),
        (&[("client_id", "spa\0")], "UnknownApp"),
        (&[("client_id", "spa"), ("client_id", "spa")], "UnknownApp"),
        (&[("redirect_uri", "https://evil.example/")], "ForeignRedirect"),
        (&[("redirect_uri", "")], "ForeignRedirect"),
        (
            &[("redirect_uri", "https://spa.example/callback/")],
            "ForeignRedirect",
        ),
        (
            &[("redirect_uri", "https://spa.example/callback?x=1")],
            "ForeignRedirect",
        ),
        (
            &[("redirect_uri", "https://spa.example/callback\n")],
            "ForeignRedirect",
        ),
        (
            &[
                ("redirect_uri", CALLBACK),
                ("redirect_uri", "https://evil.example/"),
            ],
            "ForeignRedirect",
        ),
    ] {
        let answer = bench.authorize(changes, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(answer.body.starts_with(kind), "{changes:?}: {}", answer.body);
        assert!(!answer.headers.contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn sr71_every_other_error_goes_to_the_redirect_uri_with_its_code_state_and_issuer() {
    let bench = Bench::new().await;
    let long = "x".repeat(42);
    for (changes, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (
            &[("code_challenge", ""), ("code_challenge_method", "")],
            "invalid_request",
        ),
        (&[("code_challenge", long.as_str())], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "unheard")], "invalid_scope"),
        (&[("scope", "open\"id")], "invalid_scope"),
        (&[("resource", "https://nowhere.example")], "invalid_target"),
        (&[("resource", "https://other.example")], "invalid_target"),
        (
            &[("resource", API), ("resource", "https://nowhere.example")],
            "invalid_target",
        ),
        (&[("prompt", "create")], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("max_age", "+5")], "invalid_request"),
        (&[("id_token_hint", "not.a.token")], "invalid_request"),
        (&[("first_screen", "reset password")], "invalid_request"),
        (&[("request", "eyJ")], "request_not_supported"),
        (
            &[("request_uri", "https://spa.example/request")],
            "request_uri_not_supported",
        ),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("nonce", "a"), ("nonce", "b")], "invalid_request"),
        (
            &[("first_screen", "sign_in"), ("first_screen", "sign_in")],
            "invalid_request",
        ),
        (&[("login_hint", "alice\0")], "invalid_request"),
        (&[("login_hint", "alice\r\nSet-Cookie: x=y")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let answer = bench.authorize(changes, "").await;
        assert!(
            answer.location().starts_with(&format!("{CALLBACK}?error=")),
            "{changes:?}"
        );
        assert_eq!(answer.error(), error, "{changes:?}");
        assert_eq!(answer.sent("state").as_deref(), Some("the state"), "{changes:?}");
        assert_eq!(
            answer.sent("iss").as_deref(),
            Some("http://localhost:3001/oidc"),
            "{changes:?}"
        );
        let description = answer.sent("error_description").unwrap();
        let legal = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(description.chars().all(legal), "RFC 6749 4.1.2.1: {description}");
    }
}

#[tokio::test]
async fn rfc6749_3_1_a_state_that_is_repeated_or_no_text_is_not_sent_back() {
    let bench = Bench::new().await;
    for changes in [&[("state", "a"), ("state", "b")][..], &[("state", "a\nb")]] {
        let answer = bench.authorize(changes, "").await;
        assert_eq!(
            (answer.error().as_str(), answer.sent("state")),
            ("invalid_request", None)
        );
    }
}

#[tokio::test]
async fn rfc7636_apps_with_a_secret_may_go_without_a_challenge() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let web = [("client_id", "web"), ("redirect_uri", "https://web.example/cb")];
    let without = [&web[..], &[("code_challenge", ""), ("code_challenge_method", "")]].concat();
    assert!(bench.authorize(&without, &cookie).await.sent("code").is_some());
    let plain = [&web[..], &[("code_challenge_method", "plain")]].concat();
    assert_eq!(bench.authorize(&plain, &cookie).await.error(), "invalid_request");
}

#[tokio::test]
async fn rfc8252_7_3_a_native_app_is_answered_at_its_own_port() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let native = [
        ("client_id", "native"),
        ("redirect_uri", "http://127.0.0.1:51004/callback"),
    ];
    let answer = bench.authorize(&native, &cookie).await;
    assert!(
        answer
            .location()
            .starts_with("http://127.0.0.1:51004/callback?code=")
    );
}

#[tokio::test]
async fn oidc_core_3_1_2_1_what_is_voluntary_or_unknown_never_refuses_a_request() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    for change in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("display", "wap"),
        ("display", "hologram"),
        ("acr_values", "1 2"),
        ("acr_values", "urn:mace:incommon:iap:silver"),
        ("ui_locales", "se de"),
        ("claims_locales", "se"),
        ("login_hint", "somebody@example.test"),
        ("nonce", ""),
        ("state", ""),
        ("extra", "foobar"),
        ("scope", "openid unheard"),
    ] {
        let answer = bench.authorize(&[change], &cookie).await;
        assert!(answer.sent("code").is_some(), "{change:?}: {}", answer.location());
        let state = (change.0 != "state").then_some("the state");
        assert_eq!(answer.sent("state").as_deref(), state, "{change:?}");
    }
    let code = bench
        .authorize(&[("nonce", "")], &cookie)
        .await
        .sent("code")
        .unwrap();
    let tokens = bench.exchange(&code, &[]).await.json();
    let claims = super::claims::claims_of(&tokens);
    assert!(claims.get("nonce").is_none(), "none was sent");
}

#[tokio::test]
async fn sr81_prompt_and_max_age_ask_again_where_a_session_alone_would_do() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    bench.clock.advance(Duration::from_secs(100));
    for (changes, answered) in [
        (&[][..], true),
        (&[("prompt", "none")], true),
        (&[("prompt", "consent")], true),
        (&[("prompt", "login")], false),
        (&[("prompt", "login consent")], false),
        (&[("prompt", "select_account")], false),
        (&[("max_age", "100")], true),
        (&[("max_age", "99")], false),
        (&[("max_age", "99999999999999999999")], true),
        (&[("max_age", "0")], false),
        (&[("first_screen", "reset-password")], true),
        (&[("first_screen", "reset-password"), ("prompt", "login")], false),
    ] {
        let answer = bench.authorize(changes, &cookie).await;
        assert_eq!(answer.sent("code").is_some(), answered, "{changes:?}");
        assert_eq!(answer.sent("i").is_none(), answered, "{changes:?}");
    }
    let silent = bench
        .authorize(&[("prompt", "none"), ("max_age", "99")], &cookie)
        .await;
    assert_eq!(silent.error(), "login_required");
}

#[tokio::test]
async fn oidc_core_3_1_2_1_the_id_token_hint_names_who_may_answer() {
    let bench = Bench::new().await;
    let hint = bench.tokens().await["id_token"].as_str().unwrap().to_owned();
    let (_, bob) = bench.sign_in(BOB, "").await;
    let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    assert_eq!(bench.authorize(&silent, &bob).await.error(), "login_required");
    assert!(
        bench
            .authorize(&[("id_token_hint", &hint)], &bob)
            .await
            .sent("i")
            .is_some()
    );

    let (_, alice) = bench.sign_in(ALICE, "").await;
    let (content, signature) = hint.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{content}.{flipped}{}", &signature[1..]);
    let of_another_key = [("prompt", "none"), ("id_token_hint", forged.as_str())];
    assert_eq!(
        bench.authorize(&of_another_key, &alice).await.error(),
        "invalid_request"
    );
    bench.clock.advance(Duration::from_secs(7200));
    assert!(
        bench.authorize(&silent, &alice).await.sent("code").is_some(),
        "expired, it still hints"
    );
    let of_another_app = [
        ("client_id", "web"),
        ("redirect_uri", "https://web.example/cb"),
        ("id_token_hint", hint.as_str()),
    ];
    assert_eq!(
        bench.authorize(&of_another_app, &alice).await.error(),
        "invalid_request"
    );
}

#[tokio::test]
async fn oidc_core_3_1_2_1_a_post_is_sent_to_the_get() {
    let bench = Bench::new().await;
    let path = authorize_path(&[]);
    let query = path.split_once('?').unwrap().1;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = bench
        .post("/oidc/auth", &form, &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!(answer.location(), format!("http://localhost:3001{path}"));
}

#[tokio::test]
async fn bad_input_is_refused_with_4xx() {
    let bench = Bench::new().await;
    let long = bench
        .get(&format!("{}&x={}", authorize_path(&[]), "y".repeat(17_000)), "")
        .await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
    let not_text = bench.get("/oidc/auth?client_id=%ff", "").await;
    assert_eq!(not_text.status, StatusCode::BAD_REQUEST);
    let huge = "z".repeat(1024 * 1024);
    let body = bench.post("/oidc/auth", &[("client_id", &huge)], &[]).await;
    assert_eq!(body.status, StatusCode::BAD_REQUEST);
    let json = Request::post("/oidc/auth").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(
        bench.send(json.body(Body::from("{}")).unwrap()).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn before_there_is_a_session_nothing_is_asked_of_the_store() {
    let bench = Bench::new().await;
    bench.store.close().await;
    assert!(
        bench
            .authorize(&[], "")
            .await
            .location()
            .starts_with("/sign-in?i=")
    );
    assert!(
        bench
            .authorize(&[("first_screen", "reset-password")], "other=1")
            .await
            .sent("i")
            .is_some()
    );
    let (broken, unknown) = (
        bench.authorize(&[], "kb_session=x").await,
        ("client_id", "nobody"),
    );
    assert_eq!(broken.error(), "server_error");
    let page = bench.authorize(&[unknown], "").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.starts_with("Failure"));
}
