use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;
use crate::oidc::hint;

const END: &str = "/oidc/session/end";
const SIGNED_OUT: &str = "https://spa.example/signed-out";
const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

fn path(form: &[(&str, &str)]) -> String {
    format!("{END}?{}", form_of(form))
}

/// Alice's session with tokens of the public app: cookie, ID token, access token, refresh token.
async fn signed_in(bench: &Bench, scope: &str) -> (String, Value) {
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let code = bench
        .authorize(&[("scope", scope)], &cookie)
        .await
        .sent("code")
        .unwrap();
    (cookie, bench.exchange(&code, &[]).await.json())
}

async fn is_signed_in(bench: &Bench, cookie: &str) -> bool {
    bench
        .authorize(&[("prompt", "none")], cookie)
        .await
        .sent("code")
        .is_some()
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

#[tokio::test]
async fn sr82_a_hint_at_the_session_ends_it_at_once_and_returns_to_the_app() {
    let bench = Bench::new().await;
    let (cookie, tokens) = signed_in(&bench, "openid").await;
    bench.clock.advance(std::time::Duration::from_secs(86_400));
    let hint = text(&tokens, "id_token");
    let form = [
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "s p"),
    ];
    let answer = bench.get(&path(&form), &cookie).await;
    assert_eq!(answer.location(), format!("{SIGNED_OUT}?state=s+p"));
    let cleared = answer.header(header::SET_COOKIE);
    assert!(
        cleared.starts_with("kb_session=;") && cleared.contains("Max-Age=0"),
        "{cleared}"
    );
    assert!(!is_signed_in(&bench, &cookie).await);
    let again = bench.get(&path(&form), &cookie).await;
    assert_eq!(
        again.location(),
        format!("{SIGNED_OUT}?state=s+p"),
        "nothing to end is no error"
    );
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_tokens_but_for_offline_ones() {
    let bench = Bench::new().await;
    let (cookie, online) = signed_in(&bench, "openid").await;
    let code = bench
        .authorize(&[("scope", "openid offline_access")], &cookie)
        .await
        .sent("code")
        .unwrap();
    let offline = bench.exchange(&code, &[]).await.json();
    bench
        .get(&path(&[("id_token_hint", text(&online, "id_token"))]), &cookie)
        .await;
    assert_eq!(
        bench.userinfo(text(&online, "access_token")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        bench.refresh(text(&offline, "refresh_token"), &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn sr82_without_a_hint_the_person_is_asked() {
    let bench = Bench::new().await;
    let (cookie, _) = signed_in(&bench, "openid").await;
    let form = [
        ("client_id", "spa"),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "s"),
    ];
    let asked = bench.get(&path(&form), &cookie).await;
    assert_eq!(asked.status, StatusCode::OK);
    let expected = format!(
        "Confirm Some(\"The Site\") Some Body {END} [(\"client_id\", \"spa\"), (\"post_logout_redirect_uri\", \
         \"{SIGNED_OUT}\"), (\"state\", \"s\"), (\"confirm\", \"yes\")]"
    );
    assert_eq!(asked.body, expected);
    assert_eq!(asked.header(header::CACHE_CONTROL), "no-store");
    assert!(is_signed_in(&bench, &cookie).await);

    let yes = [&form[..], &[("confirm", "yes")]].concat();
    let answer = bench.post(END, &yes, &[OURS, ("cookie", &cookie)]).await;
    assert_eq!(answer.location(), format!("{SIGNED_OUT}?state=s"));
    assert!(!is_signed_in(&bench, &cookie).await);
}

#[tokio::test]
async fn sr82_a_yes_counts_from_our_own_page_alone() {
    let bench = Bench::new().await;
    let (cookie, _) = signed_in(&bench, "openid").await;
    let yes = [("client_id", "spa"), ("confirm", "yes")];
    let by_get = bench.get(&path(&yes), &cookie).await;
    assert!(by_get.body.starts_with("Confirm"), "{}", by_get.body);
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("origin", "https://evil.example")],
        &[],
    ] {
        let headers = [foreign, &[("cookie", cookie.as_str())]].concat();
        let answer = bench.post(END, &yes, &headers).await;
        assert_eq!(
            answer.location(),
            format!("http://localhost:3001{}", path(&yes)),
            "its own GET: {foreign:?}"
        );
    }
    let unsure = bench
        .post(END, &[("client_id", "spa")], &[OURS, ("cookie", &cookie)])
        .await;
    assert!(unsure.body.starts_with("Confirm"));
    assert!(is_signed_in(&bench, &cookie).await);
}

#[tokio::test]
async fn rpl_2_another_persons_hint_asks_first() {
    let bench = Bench::new().await;
    let (_, alices) = signed_in(&bench, "openid").await;
    let (_, bob) = bench.sign_in(BOB, "").await;
    let answer = bench
        .get(&path(&[("id_token_hint", text(&alices, "id_token"))]), &bob)
        .await;
    assert!(
        answer.body.starts_with("Confirm Some(\"The Site\")"),
        "{}",
        answer.body
    );
    assert!(is_signed_in(&bench, &bob).await);
}

#[tokio::test]
async fn sr82_wrong_requests_get_a_page_and_end_nothing() {
    let bench = Bench::new().await;
    let (cookie, tokens) = signed_in(&bench, "openid read:books").await;
    let hint = text(&tokens, "id_token");
    let forged = format!(
        "{}{}",
        &hint[..hint.len() - 1],
        if hint.ends_with('x') { 'y' } else { 'x' }
    );
    for form in [
        &[("post_logout_redirect_uri", SIGNED_OUT)][..],
        &[("client_id", "web"), ("post_logout_redirect_uri", SIGNED_OUT)],
        &[
            ("client_id", "spa"),
            ("post_logout_redirect_uri", "https://spa.example/signed-out/"),
        ],
        &[
            ("client_id", "spa"),
            ("post_logout_redirect_uri", "https://evil.example/"),
        ],
        &[("client_id", "spa"), ("post_logout_redirect_uri", CALLBACK)],
        &[("id_token_hint", hint), ("client_id", "web")],
        &[("id_token_hint", &forged)],
        &[("id_token_hint", "x")],
        &[("client_id", "nobody")],
        &[("client_id", "spa"), ("client_id", "spa")],
        &[("client_id", "spa"), ("state", "a\0")],
    ] {
        let answer = bench.get(&path(form), &cookie).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form:?}");
        assert!(answer.body.starts_with("SignOut: "), "{form:?} {}", answer.body);
        let posted = bench.post(END, form, &[OURS, ("cookie", &cookie)]).await;
        assert_eq!(posted.status, StatusCode::BAD_REQUEST, "{form:?}");
    }
    assert!(is_signed_in(&bench, &cookie).await);
}

/// RP-Initiated Logout 3: the registered URI may have a query of its own, which is kept.
#[tokio::test]
async fn rpl_3_the_query_of_the_registered_address_is_kept_and_state_passed_back() {
    let bench = Bench::new().await;
    let with_query = "https://spa.example/out?from=op";
    for (state, location) in [
        (Some("a&b=c"), "https://spa.example/out?from=op&state=a%26b%3Dc"),
        (None, with_query),
    ] {
        let (cookie, tokens) = signed_in(&bench, "openid").await;
        let hint = text(&tokens, "id_token");
        let mut form = vec![("id_token_hint", hint), ("post_logout_redirect_uri", with_query)];
        form.extend(state.map(|state| ("state", state)));
        assert_eq!(bench.get(&path(&form), &cookie).await.location(), location);
    }
    for other in [
        "https://spa.example/out",
        "https://spa.example/out?from=op&x=1",
        "https://spa.example/signed-out?x=1",
    ] {
        let form = [("client_id", "spa"), ("post_logout_redirect_uri", other)];
        let refused = bench.get(&path(&form), "").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{other}");
    }
}

/// RP-Initiated Logout 2: all parameters are optional, GET and POST are alike, and unknown ones are ignored.
#[tokio::test]
async fn rpl_2_every_parameter_is_optional_by_get_and_by_post() {
    let bench = Bench::new().await;
    let forms: [&[(&str, &str)]; 5] = [
        &[],
        &[("state", "alone")],
        &[("logout_hint", "alice@example.test"), ("ui_locales", "de en")],
        &[("client_id", "spa")],
        &[("unknown", "x")],
    ];
    for form in forms {
        let (cookie, _) = signed_in(&bench, "openid").await;
        let asked = bench.get(&path(form), &cookie).await;
        assert!(asked.body.starts_with("Confirm"), "{form:?}: {}", asked.body);
        let asked = bench.post(END, form, &[OURS, ("cookie", &cookie)]).await;
        assert!(asked.body.starts_with("Confirm"), "{form:?}: {}", asked.body);
        let yes = [form, &[("confirm", "yes")]].concat();
        let done = bench.post(END, &yes, &[OURS, ("cookie", &cookie)]).await;
        assert!(done.body.starts_with("SignedOut"), "{form:?}: {}", done.body);
        assert!(!is_signed_in(&bench, &cookie).await);
        let nobody = bench.get(&path(form), "").await;
        assert!(nobody.body.starts_with("SignedOut"), "{form:?}: {}", nobody.body);
    }
}

/// RP-Initiated Logout 2 and 4: a hint of long ago is one still.
#[tokio::test]
async fn rpl_4_an_expired_hint_is_taken() {
    let bench = Bench::new().await;
    let (_, tokens) = signed_in(&bench, "openid").await;
    bench.clock.advance(std::time::Duration::from_secs(20 * 86_400));
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let form = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("client_id", "spa"),
        ("post_logout_redirect_uri", SIGNED_OUT),
    ];
    assert_eq!(bench.get(&path(&form), &cookie).await.location(), SIGNED_OUT);
    assert!(!is_signed_in(&bench, &cookie).await);
}

/// A request that is refused leads nobody anywhere.
#[tokio::test]
async fn rpl_3_a_refused_request_redirects_nowhere() {
    let bench = Bench::new().await;
    let (cookie, _) = signed_in(&bench, "openid").await;
    for cookie in ["", cookie.as_str()] {
        for form in [
            [
                ("client_id", "spa"),
                ("post_logout_redirect_uri", "https://evil.example/"),
            ],
            [("state", "s"), ("post_logout_redirect_uri", SIGNED_OUT)],
            [
                ("id_token_hint", "e30.e30.e30"),
                ("post_logout_redirect_uri", SIGNED_OUT),
            ],
        ] {
            let refused = bench.get(&path(&form), cookie).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{form:?}");
            assert_eq!(refused.header(header::LOCATION), "");
        }
    }
    assert!(is_signed_in(&bench, &cookie).await);
}

#[tokio::test]
async fn without_a_return_address_a_page_says_that_it_is_done() {
    let bench = Bench::new().await;
    let (cookie, tokens) = signed_in(&bench, "openid").await;
    let answer = bench
        .get(&path(&[("id_token_hint", text(&tokens, "id_token"))]), &cookie)
        .await;
    assert_eq!(
        answer.body,
        format!("SignedOut Some(\"The Site\") back to {SIGNED_OUT}")
    );
    assert_eq!(bench.get(END, "").await.body, "SignedOut None back to nowhere");
}

/// Of an ID token any other text is none: changed in one place, cut off, or made up.
#[tokio::test]
async fn sr82_no_other_text_passes_for_a_hint() {
    let bench = Bench::new().await;
    let (_, tokens) = signed_in(&bench, "openid").await;
    let hint = text(&tokens, "id_token");
    let inner = &bench.provider.0;
    let ring = inner.keys.ring(bench.now()).await;
    let is_one = |text: &str| hint::read(&ring, &inner.issuer, text).is_some();
    assert!(is_one(hint));
    let places = (0..hint.len(), "[A-Za-z0-9._-]");
    let changed = places.prop_map(|(at, with)| [&hint[..at], &with, &hint[at + 1..]].concat());
    let cut = (0..hint.len()).prop_map(|at| hint[..at].to_owned());
    let others = prop_oneof![2 => changed, 1 => cut, 1 => "(?s).{0,200}", 1 => "[A-Za-z0-9._-]{0,200}"];
    let mut runner = TestRunner::deterministic();
    for _ in 0..1_000 {
        let other = others.new_tree(&mut runner).unwrap().current();
        assert_eq!(is_one(&other), other == hint, "{other:?}");
    }
}
