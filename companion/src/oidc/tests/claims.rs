//! The claims parameter through the provider (OIDC Core 5.5).

use std::time::Duration;

use super::*;

/// The claims of a JWT, whose signature others check.
pub(super) fn claims_of(token: &Value) -> Value {
    use base64::Engine as _;
    let payload = token["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

#[tokio::test]
async fn oidc_core_5_5_claims_by_name_come_by_the_code_by_each_refresh_and_at_userinfo() {
    let bench = Bench::new().await;
    let claims = r#"{"userinfo":{"name":{"essential":true},"shoe_size":null},"id_token":{"email":null,"auth_time":{"essential":true}}}"#;
    let code = bench
        .code(&[("scope", "openid offline_access"), ("claims", claims)])
        .await;
    let mut tokens = bench.exchange(&code, &[]).await.json();
    for _ in 0..3 {
        let id_token = claims_of(&tokens);
        assert_eq!(id_token["email"], "alice@example.test");
        assert!(id_token["auth_time"].is_u64());
        assert!(id_token.get("name").is_none() && id_token.get("email_verified").is_none());
        let userinfo = bench.userinfo(text(&tokens, "access_token")).await.json();
        assert_eq!(userinfo, json!({ "sub": ALICE, "name": "Some Body" }));
        bench.clock.advance(Duration::from_secs(60));
        tokens = bench.refresh(text(&tokens, "refresh_token"), &[]).await.json();
    }
}

#[tokio::test]
async fn oidc_core_5_5_another_form_is_told_to_the_app() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    for claims in [
        "true",
        "{",
        r#"{"userinfo":[]}"#,
        r#"{"id_token":{"name":"Ada"}}"#,
    ] {
        let answer = bench.authorize(&[("claims", claims)], &cookie).await;
        assert_eq!(answer.error(), "invalid_request", "{claims}");
        assert_eq!(answer.sent("state").as_deref(), Some("the state"));
    }
    let unknown = [("claims", r#"{"userinfo":{"shoe_size":{"essential":true}}}"#)];
    assert!(bench.authorize(&unknown, &cookie).await.sent("code").is_some());
}

#[tokio::test]
async fn oidc_core_5_5_1_nobody_else_answers_for_the_sub_that_is_asked() {
    let bench = Bench::new().await;
    let (_, alice) = bench.sign_in(ALICE, "").await;
    let hers = format!(r#"{{"id_token":{{"sub":{{"value":"{ALICE}"}}}}}}"#);
    let his = format!(r#"{{"id_token":{{"sub":{{"value":"{BOB}"}}}}}}"#);
    assert!(
        bench
            .authorize(&[("claims", &hers)], &alice)
            .await
            .sent("code")
            .is_some()
    );
    let silent = bench
        .authorize(&[("claims", &his), ("prompt", "none")], &alice)
        .await;
    assert_eq!(silent.error(), "login_required");
    let asked = bench.authorize(&[("claims", &his)], &alice).await;
    assert!(
        asked.location().starts_with("/sign-in?i="),
        "Bob may sign in: {}",
        asked.location()
    );
}

#[tokio::test]
async fn oidc_core_5_5_1_1_an_essential_acr_out_of_reach_fails_and_a_voluntary_one_does_not() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let ask = async |acr: &str| {
        let claims = format!(r#"{{"id_token":{{"acr":{acr}}}}}"#);
        bench.authorize(&[("claims", &claims)], &cookie).await
    };
    let unmet = ask(r#"{"essential":true,"values":["urn:mace:incommon:iap:silver"]}"#).await;
    assert_eq!(unmet.error(), "unmet_authentication_requirements");
    for met in [
        r#"{"essential":true,"values":["1","0"]}"#,
        r#"{"essential":true}"#,
        r#"{"values":["1"]}"#,
        "null",
    ] {
        let code = ask(met).await.sent("code").unwrap();
        assert_eq!(
            claims_of(&bench.exchange(&code, &[]).await.json())["acr"],
            "0",
            "{met}"
        );
    }
    let voluntary = bench.authorize(&[("acr_values", "1 2")], &cookie).await;
    assert!(
        voluntary.sent("code").is_some(),
        "3.1.2.1: acr_values are voluntary"
    );
}

#[tokio::test]
async fn oidc_core_5_5_a_request_of_many_claims_waits_for_the_person_whole() {
    let bench = Bench::new().await;
    let values: Vec<String> = (0..150).map(|number| format!("somebody-{number}")).collect();
    let claims = json!({ "userinfo": { "name": { "values": values }, "email": null } }).to_string();
    let asked = bench.authorize(&[("claims", &claims)], "").await;
    let id = asked.sent("i").unwrap();
    let cookies = asked.cookies();
    assert!(cookies.len() < 1_400, "it became a row: {}", cookies.len());
    bench.clock.advance(Duration::from_secs(5));
    let (session, _) = bench.sign_in(ALICE, &cookies).await;
    let headers = cookie_header(&cookies);
    let waiting = bench
        .provider
        .interaction(&headers, &id, bench.now())
        .await
        .unwrap()
        .unwrap();
    let done = bench
        .provider
        .complete(&waiting, &session, None, bench.now())
        .await
        .unwrap();
    let super::super::Completion::Done(done) = done else {
        panic!("the session answers");
    };
    let response = bench.provider.0.deliver(&headers, None, &done.answer);
    let code = Url::parse(response.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    let code = code
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let tokens = bench.exchange(&code, &[]).await.json();
    let userinfo = bench.userinfo(text(&tokens, "access_token")).await.json();
    assert_eq!(
        userinfo,
        json!({ "sub": ALICE, "email": "alice@example.test" }),
        "the name is another"
    );
}
