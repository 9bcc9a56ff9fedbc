use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::config::app::IdTokenAlg;
use crate::oidc::jws::{self, Jwk};

/// Header and claims of a token, verified against the published keys.
pub(super) async fn verified(bench: &Bench, token: &str) -> (Value, Value) {
    let keys = bench.get("/oidc/jwks", "").await.json();
    let keys: Vec<Jwk> = serde_json::from_value(keys["keys"].clone()).unwrap();
    let claims = jws::open(token, keys.iter()).expect("signed by a published key");
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    (serde_json::from_slice(&header).unwrap(), claims)
}

#[tokio::test]
async fn oidc_core_3_1_3_3_a_code_becomes_an_access_token_and_an_id_token() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let signed_in_at = bench.now().as_secs();
    bench.clock.advance(Duration::from_secs(10));
    let code = bench
        .authorize(&[("scope", "openid profile email phone unheard")], &cookie)
        .await;
    let answer = bench.exchange(&code.sent("code").unwrap(), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let json = answer.json();
    assert_eq!(
        (json["token_type"].as_str(), json["expires_in"].as_u64()),
        (Some("Bearer"), Some(3600))
    );
    assert_eq!(json["scope"], "openid profile email phone");
    assert!(
        json.get("refresh_token").is_none(),
        "offline_access was not asked"
    );
    let access_token = json["access_token"].as_str().unwrap();
    assert_eq!(access_token.len(), 43, "256 bits");

    let (header, claims) = verified(&bench, json["id_token"].as_str().unwrap()).await;
    assert_eq!(header["alg"], "ES384");
    let now = bench.now().as_secs();
    let expected = json!({
        "iss": "http://localhost:3001/oidc", "sub": ALICE, "aud": "spa", "iat": now, "exp": now + 3600,
        "auth_time": signed_in_at, "nonce": "the-nonce", "sid": session.id, "amr": ["pwd"], "acr": "0",
        "at_hash": jws::half_hash(IdTokenAlg::ES384, access_token),
        "name": "Some Body", "username": "ali", "preferred_username": "ali", "updated_at": signed_in_at,
        "email": "alice@example.test", "email_verified": true,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn an_app_can_have_its_id_tokens_signed_with_rs256() {
    let bench = Bench::new().await;
    let redirect = ("redirect_uri", "https://web.example/cb");
    let code = bench.code(&[("client_id", "web"), redirect]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        redirect,
        ("code_verifier", VERIFIER),
    ];
    let basic = format!("Basic {}", STANDARD.encode(format!("web:{SECRET}")));
    let answer = bench
        .post("/oidc/token", &form, &[("authorization", &basic)])
        .await;
    let json = answer.json();
    let (header, claims) = verified(&bench, json["id_token"].as_str().unwrap()).await;
    assert_eq!(header["alg"], "RS256");
    let at_hash = jws::half_hash(IdTokenAlg::RS256, json["access_token"].as_str().unwrap());
    assert_eq!(claims["at_hash"], at_hash);
}

#[tokio::test]
async fn rfc6749_2_3_clients_authenticate_by_basic_by_body_or_by_none() {
    let bench = Bench::new().await;
    let redirect = ("redirect_uri", "https://web.example/cb");
    let web = [("client_id", "web"), redirect];
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    let good = basic(format!("web:{SECRET}"));
    let (wrong, malformed) = (basic("web:wrong".to_owned()), "Basic %%%".to_owned());
    let (unknown, spa) = (basic(format!("nobody:{SECRET}")), basic("spa:".to_owned()));
    for (header, body, status, error, challenged) in [
        (Some(&good), &[][..], 200, "", false),
        (Some(&good), &[("client_id", "web")], 200, "", false),
        (
            None,
            &[("client_id", "web"), ("client_secret", SECRET)],
            200,
            "",
            false,
        ),
        (Some(&wrong), &[], 401, "invalid_client", true),
        (Some(&unknown), &[], 401, "invalid_client", true),
        (Some(&malformed), &[], 401, "invalid_client", true),
        (Some(&spa), &[], 401, "invalid_client", true),
        (
            None,
            &[("client_id", "web"), ("client_secret", "wrong")],
            401,
            "invalid_client",
            false,
        ),
        (None, &[("client_id", "web")], 401, "invalid_client", false),
        (
            None,
            &[("client_id", "spa"), ("client_secret", SECRET)],
            401,
            "invalid_client",
            false,
        ),
        (None, &[], 401, "invalid_client", false),
        (
            Some(&good),
            &[("client_id", "spa")],
            400,
            "invalid_request",
            false,
        ),
        (
            Some(&good),
            &[("client_id", "web"), ("client_secret", SECRET)],
            400,
            "invalid_request",
            false,
        ),
    ] {
        let code = bench.code(&web).await;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            redirect,
            ("code_verifier", VERIFIER),
        ];
        let form = [&grant[..], body].concat();
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let answer = bench.post("/oidc/token", &form, &headers).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{header:?} {body:?} {}",
            answer.body
        );
        if status != 200 {
            assert_eq!(answer.error(), error, "{header:?} {body:?}");
        }
        assert_eq!(
            answer.header(header::WWW_AUTHENTICATE).starts_with("Basic "),
            challenged,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn rfc6749_5_2_bad_requests_are_told_apart() {
    let bench = Bench::new().await;
    let code = bench.code(&[]).await;
    for (changes, error) in [
        (&[("grant_type", "")][..], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "implicit")], "unsupported_grant_type"),
        (&[("code", "")], "invalid_request"),
        (&[("code", "unknown")], "invalid_grant"),
        (&[("redirect_uri", "")], "invalid_request"),
        (&[("redirect_uri", "https://spa.example/other")], "invalid_grant"),
        (&[("code_verifier", "")], "invalid_grant"),
        (&[("code_verifier", "short")], "invalid_request"),
        (
            &[("code_verifier", "wrongwrongwrongwrongwrongwrongwrongwrongwrong")],
            "invalid_grant",
        ),
        (&[("code", "a"), ("code", "b")], "invalid_request"),
        (&[("code", "a\0")], "invalid_request"),
        (&[("resource", "https://other.example")], "invalid_target"),
        (&[("client_id", "native")], "invalid_grant"),
    ] {
        let answer = bench.exchange(&code, changes).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(answer.error(), error, "{changes:?}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    }
    assert_eq!(
        bench.exchange(&code, &[]).await.status,
        StatusCode::OK,
        "refusals don't use the code"
    );
}

#[tokio::test]
async fn bodies_are_forms_of_bounded_size() {
    let bench = Bench::new().await;
    let json = Request::post("/oidc/token").header(header::CONTENT_TYPE, "application/json");
    let answer = bench.send(json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    let huge = "x".repeat(1024 * 1024);
    let answer = bench.post("/oidc/token", &[("grant_type", &huge)], &[]).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    let get = bench.get("/oidc/token", "").await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn rfc9700_2_1_1_a_verifier_without_a_challenge_is_refused() {
    let bench = Bench::new().await;
    let web = [("client_id", "web"), ("redirect_uri", "https://web.example/cb")];
    let code = bench
        .code(&[&web[..], &[("code_challenge", ""), ("code_challenge_method", "")]].concat())
        .await;
    let as_web = [&web[..], &[("client_secret", SECRET)]].concat();
    assert_eq!(bench.exchange(&code, &as_web).await.error(), "invalid_grant");
    let without = [&as_web[..], &[("code_verifier", "")]].concat();
    assert_eq!(bench.exchange(&code, &without).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sr78_a_code_lives_for_sixty_seconds() {
    let bench = Bench::new().await;
    let (in_time, late) = (bench.code(&[]).await, bench.code(&[]).await);
    bench.clock.advance(Duration::from_millis(59_999));
    assert_eq!(bench.exchange(&in_time, &[]).await.status, StatusCode::OK);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.exchange(&late, &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn sr78_a_replay_revokes_what_the_code_gave() {
    let bench = Bench::new().await;
    let code = bench.code(&[("scope", "openid offline_access")]).await;
    let tokens = bench.exchange(&code, &[]).await.json();
    let access_token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        bench.exchange(&code, &[("client_id", "native")]).await.error(),
        "invalid_grant"
    );
    assert_eq!(
        bench.userinfo(access_token).await.status,
        StatusCode::OK,
        "another app can revoke nothing"
    );

    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
    assert_eq!(
        bench.userinfo(access_token).await.status,
        StatusCode::UNAUTHORIZED
    );
    let refreshed = bench
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refreshed.error(), "invalid_grant");
}

/// That a code was used may be lost with the power: after the next boot it is used by nobody.
#[tokio::test]
async fn sr78_a_code_does_not_outlive_the_boot_of_the_machine() {
    let mut bench = Bench::new().await;
    let used = bench.code(&[("scope", "openid offline_access")]).await;
    let tokens = bench.exchange(&used, &[]).await.json();
    let waiting = bench.code(&[]).await;
    bench.restart().await;
    assert_eq!(
        bench.exchange(&waiting, &[]).await.status,
        StatusCode::OK,
        "the same boot"
    );

    for boot in [Some("the second"), None, Some(""), Some(""), Some("the second")] {
        let waiting = bench.code(&[]).await;
        bench.restart_in(boot).await;
        assert_eq!(
            bench.exchange(&waiting, &[]).await.error(),
            "invalid_grant",
            "{boot:?}"
        );
    }
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refreshed = bench.refresh(refresh_token, &[]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "what codes have given lives on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sr78_of_a_hundred_parallel_exchanges_one_succeeds() {
    let bench = Arc::new(Bench::new().await);
    let code = bench.code(&[]).await;
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let (bench, code) = (bench.clone(), code.clone());
            tokio::spawn(async move { bench.exchange(&code, &[]).await })
        })
        .collect();
    let mut successes = 0;
    for one in tries {
        let answer = one.await.unwrap();
        match answer.status {
            StatusCode::OK => successes += 1,
            StatusCode::BAD_REQUEST => assert_eq!(answer.error(), "invalid_grant"),
            status => panic!("{status}: {}", answer.body),
        }
    }
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn codes_of_people_who_are_disabled_or_cut_off_are_dead() {
    let bench = Bench::new().await;
    let code = bench.code(&[]).await;
    bench.clock.advance(Duration::from_millis(5));
    users::set_not_before(bench.store.writer(), ALICE, bench.now())
        .await
        .unwrap();
    assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
    let code = bench.code(&[]).await;
    users::set_status(bench.store.writer(), ALICE, AccountStatus::Disabled, bench.now())
        .await
        .unwrap();
    assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc9068_2_a_token_for_an_api_is_a_jwt_with_the_apis_scopes() {
    let bench = Bench::new().await;
    let scope = "openid profile reports read:books read:other";
    let code = bench.code(&[("resource", API), ("scope", scope)]).await;
    let answer = bench.exchange(&code, &[("resource", API)]).await.json();
    assert_eq!(answer["scope"], "read:books");
    let (header, claims) = verified(&bench, answer["access_token"].as_str().unwrap()).await;
    assert_eq!(
        (header["typ"].as_str(), header["alg"].as_str()),
        (Some("at+jwt"), Some("ES384"))
    );
    let now = bench.now().as_secs();
    for (name, value) in [
        ("iss", json!("http://localhost:3001/oidc")),
        ("sub", json!(ALICE)),
        ("aud", json!(API)),
        ("client_id", json!("spa")),
        ("iat", json!(now)),
        ("exp", json!(now + 3600)),
        ("scope", json!("read:books")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(!claims["jti"].as_str().unwrap().is_empty());
    let at_userinfo = bench.userinfo(answer["access_token"].as_str().unwrap()).await;
    assert_eq!(
        at_userinfo.status,
        StatusCode::UNAUTHORIZED,
        "it is for the API alone"
    );
    let hint = [("id_token_hint", answer["access_token"].as_str().unwrap())];
    assert_eq!(
        bench.authorize(&hint, "").await.error(),
        "invalid_request",
        "it is no ID token"
    );

    let opaque = bench
        .exchange(&bench.code(&[("resource", API), ("scope", scope)]).await, &[])
        .await
        .json();
    assert_eq!(
        opaque["scope"], "openid profile reports",
        "a granted resource is not used unasked"
    );
    assert_eq!(opaque["access_token"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn machines_get_no_tokens_of_people() {
    let bench = Bench::new().await;
    let code = bench.code(&[]).await;
    let machine = [("client_id", "machine"), ("client_secret", SECRET)];
    assert_eq!(
        bench.exchange(&code, &machine).await.error(),
        "unauthorized_client"
    );
}

#[tokio::test]
async fn secrets_rest_as_digests() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let unused = bench.authorize(&[], &cookie).await.sent("code").unwrap();
    let tokens = bench.tokens().await;
    let renewed = bench
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await
        .json();
    bench.store.close().await;
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |secret: &str| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(holds(&digest_of(&unused)), "the search finds what is there");
    let secrets = [
        &tokens["access_token"],
        &tokens["refresh_token"],
        &renewed["access_token"],
    ];
    for secret in secrets.into_iter().chain([&renewed["refresh_token"]]) {
        assert!(!holds(secret.as_str().unwrap()));
    }
    assert!(!holds(&unused) && !holds(cookie.split_once('=').unwrap().1));
}
