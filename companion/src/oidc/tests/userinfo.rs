use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

/// The grants and consents of the app `gone`.
async fn held_by_gone(bench: &Bench) -> i64 {
    sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM grants WHERE client_id = 'gone') \
         + (SELECT COUNT(*) FROM consents WHERE client_id = 'gone')",
    )
    .fetch_one(bench.store.reader())
    .await
    .unwrap()
}

/// What another file would have: the app `gone` was in it once.
#[tokio::test]
async fn tokens_end_with_an_app_that_is_no_longer_configured_and_a_new_one_inherits_nothing() {
    let mut bench = Bench::new().await;
    let tokens = bench.tokens().await;
    let kept = bench.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    for sql in [
        "UPDATE grants SET client_id = 'gone' WHERE id = (SELECT grant_id FROM access_tokens WHERE digest = $1)",
        "INSERT INTO consents (user_id, client_id, allowed, given_at, updated_at) \
         SELECT user_id, client_id, '{}', 0, 0 FROM grants WHERE client_id = 'gone' AND $1 <> ''",
    ] {
        sqlx::query(sql)
            .bind(digest_of(access))
            .execute(bench.store.writer())
            .await
            .unwrap();
    }
    let told = bench.userinfo(access).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{}", told.body);
    assert_eq!(held_by_gone(&bench).await, 2);
    bench.restart().await;
    assert_eq!(held_by_gone(&bench).await, 0);
    let kept = bench.userinfo(kept["access_token"].as_str().unwrap()).await;
    assert_eq!(kept.status, StatusCode::OK);
}

#[tokio::test]
async fn oidc_core_5_3_userinfo_answers_get_and_post_with_the_claims_of_the_scopes() {
    let bench = Bench::new().await;
    let profile = r#"{"locale":"fr","given_name":"Some","address":{"country":"FR"},"shoe_size":43}"#;
    sqlx::query("UPDATE users SET profile = $1 WHERE id = $2")
        .bind(profile)
        .bind(ALICE)
        .execute(bench.store.writer())
        .await
        .unwrap();
    let tokens = bench.tokens().await;
    let expected = json!({
        "sub": ALICE, "name": "Some Body", "username": "ali", "preferred_username": "ali",
        "updated_at": bench.now().as_secs(), "email": "alice@example.test", "email_verified": true,
        "locale": "fr", "given_name": "Some",
    });
    let got = bench.userinfo(text(&tokens, "access_token")).await;
    assert_eq!((got.status, got.json()), (StatusCode::OK, expected.clone()));
    assert_eq!(got.header(header::CACHE_CONTROL), "no-store");
    let bearer = format!("bearer {}", text(&tokens, "access_token"));
    let posted = bench.post("/oidc/me", &[], &[("authorization", &bearer)]).await;
    assert_eq!(posted.json(), expected);
    let form = [("access_token", text(&tokens, "access_token"))];
    let posted = bench.post("/oidc/me", &form, &[]).await;
    assert_eq!(
        (posted.status, posted.json()),
        (StatusCode::OK, expected),
        "RFC 6750 2.2"
    );

    let bare = bench
        .exchange(&bench.code(&[("scope", "openid address")]).await, &[])
        .await
        .json();
    let few = bench.userinfo(text(&bare, "access_token")).await.json();
    assert_eq!(few, json!({ "sub": ALICE, "address": { "country": "FR" } }));
}

#[tokio::test]
async fn rfc6750_3_refusals_say_how_to_authenticate() {
    let bench = Bench::new().await;
    let none = bench.get("/oidc/me", "").await;
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        none.header(header::WWW_AUTHENTICATE),
        "Bearer realm=\"keyback\"",
        "3.1: no error is named"
    );
    let wrong = bench.userinfo("unknown").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(
        wrong
            .header(header::WWW_AUTHENTICATE)
            .contains("error=\"invalid_token\"")
    );
    let code = bench.code(&[("scope", "reports")]).await;
    let pure_oauth = bench.exchange(&code, &[]).await.json();
    assert!(pure_oauth.get("id_token").is_none());
    let forbidden = bench.userinfo(text(&pure_oauth, "access_token")).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    assert!(
        forbidden
            .header(header::WWW_AUTHENTICATE)
            .contains("error=\"insufficient_scope\"")
    );
    let token = text(&bench.tokens().await, "access_token").to_owned();
    let form = [("access_token", token.as_str())];
    let twice = bench
        .post(
            "/oidc/me",
            &form,
            &[("authorization", &format!("Bearer {token}"))],
        )
        .await;
    assert_eq!(
        (twice.status, twice.error().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_request"),
        "2: one way at a time"
    );
    assert!(
        twice
            .header(header::WWW_AUTHENTICATE)
            .contains("error=\"invalid_request\"")
    );
    let repeated = bench.post("/oidc/me", &[form[0], form[0]], &[]).await;
    assert!(
        repeated
            .header(header::WWW_AUTHENTICATE)
            .contains("error=\"invalid_request\"")
    );
    let other = bench.post("/oidc/me", &[("access_token", "unknown")], &[]).await;
    assert!(
        other
            .header(header::WWW_AUTHENTICATE)
            .contains("error=\"invalid_token\"")
    );
    let both = format!("/oidc/me?access_token={token}");
    let both = bench.post(&both, &form, &[]).await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    let in_query = format!(
        "/oidc/me?access_token={}",
        text(&bench.tokens().await, "access_token")
    );
    assert_eq!(
        bench.get(&in_query, "").await.status,
        StatusCode::UNAUTHORIZED,
        "RFC 9700 4.3.2"
    );
}

#[tokio::test]
async fn sr55_access_tokens_of_people_who_are_disabled_or_cut_off_are_dead() {
    let bench = Bench::new().await;
    let tokens = bench.tokens().await;
    bench.clock.advance(Duration::from_millis(5));
    users::set_not_before(bench.store.writer(), ALICE, bench.now())
        .await
        .unwrap();
    assert_eq!(
        bench.userinfo(text(&tokens, "access_token")).await.status,
        StatusCode::UNAUTHORIZED
    );
    let since = bench.tokens().await;
    assert_eq!(
        bench.userinfo(text(&since, "access_token")).await.status,
        StatusCode::OK
    );
    users::set_status(bench.store.writer(), ALICE, AccountStatus::Disabled, bench.now())
        .await
        .unwrap();
    assert_eq!(
        bench.userinfo(text(&since, "access_token")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

async fn revoke(bench: &Bench, client_id: &str, token: &str) -> Answer {
    bench
        .post(
            "/oidc/token/revocation",
            &[("client_id", client_id), ("token", token)],
            &[],
        )
        .await
}

#[tokio::test]
async fn rfc7009_2_1_an_app_revokes_its_own_tokens() {
    let bench = Bench::new().await;
    let tokens = bench.tokens().await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert_eq!(
        revoke(&bench, "native", refresh).await.error(),
        "invalid_request",
        "2.1: another app's"
    );
    assert_eq!(revoke(&bench, "spa", access).await.status, StatusCode::OK);
    assert_eq!(bench.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
    let renewed = bench.refresh(refresh, &[]).await.json();
    assert_eq!(
        revoke(&bench, "spa", text(&renewed, "refresh_token"))
            .await
            .status,
        StatusCode::OK
    );
    let after = bench.userinfo(text(&renewed, "access_token")).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED, "the grant has gone");
    assert_eq!(
        revoke(&bench, "spa", refresh).await.status,
        StatusCode::OK,
        "2.2: unknown is revoked enough"
    );
    assert_eq!(revoke(&bench, "nobody", refresh).await.error(), "invalid_client");
    assert_eq!(revoke(&bench, "spa", "").await.error(), "invalid_request");
}

async fn introspect(bench: &Bench, client_id: &str, token: &str) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:{SECRET}")));
    bench
        .post(
            "/oidc/token/introspection",
            &[("token", token)],
            &[("authorization", &basic)],
        )
        .await
}

#[tokio::test]
async fn rfc7662_the_api_and_the_holder_learn_whether_a_token_lives() {
    let bench = Bench::new().await;
    let code = bench
        .code(&[("scope", "openid read:books"), ("resource", API)])
        .await;
    let jwt = bench.exchange(&code, &[("resource", API)]).await.json();
    let jwt = text(&jwt, "access_token");
    let seen = introspect(&bench, "machine", jwt).await.json();
    assert_eq!(
        (seen["active"].as_bool(), text(&seen, "sub"), text(&seen, "aud")),
        (Some(true), ALICE, API)
    );
    assert_eq!(
        introspect(&bench, "web", jwt).await.json(),
        json!({ "active": false }),
        "not the web app's"
    );
    let opaque = bench.tokens().await;
    for token in [
        text(&opaque, "access_token"),
        text(&opaque, "refresh_token"),
        "unknown",
    ] {
        assert_eq!(
            introspect(&bench, "machine", token).await.json(),
            json!({ "active": false })
        );
    }
    let form = [("client_id", "spa"), ("token", jwt)];
    let by_spa = bench.post("/oidc/token/introspection", &form, &[]).await;
    assert_eq!(
        (by_spa.status, by_spa.error().as_str()),
        (StatusCode::UNAUTHORIZED, "invalid_client")
    );

    bench.clock.advance(Duration::from_millis(5));
    users::set_not_before(bench.store.writer(), ALICE, bench.now())
        .await
        .unwrap();
    assert_eq!(
        introspect(&bench, "machine", jwt).await.json(),
        json!({ "active": false }),
        "SR-55"
    );
}

#[tokio::test]
async fn rfc7662_an_app_sees_its_own_tokens() {
    let bench = Bench::new().await;
    let redirect = ("redirect_uri", "https://web.example/cb");
    let code = bench
        .code(&[("client_id", "web"), redirect, ("scope", "openid offline_access")])
        .await;
    let web = [("client_id", "web"), ("client_secret", SECRET), redirect];
    let tokens = bench.exchange(&code, &web).await.json();
    for name in ["access_token", "refresh_token"] {
        let seen = introspect(&bench, "web", text(&tokens, name)).await.json();
        assert_eq!(
            (seen["active"].as_bool(), text(&seen, "scope")),
            (Some(true), "openid offline_access")
        );
    }
    let refresh = [("client_id", "web"), ("client_secret", SECRET)];
    bench
        .refresh(text(&tokens, "refresh_token"), &refresh)
        .await
        .json();
    let used = introspect(&bench, "web", text(&tokens, "refresh_token"))
        .await
        .json();
    assert_eq!(used, json!({ "active": false }));
}
