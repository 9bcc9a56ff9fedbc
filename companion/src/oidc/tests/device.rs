//! Device authorization (RFC 8628), without its pages.

use std::time::Duration;

use super::token::verified;
use super::*;
use crate::oidc::device::{Answered, DeviceRequest, UserCode};
use crate::store::{consents, cut_off};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn begin(bench: &Bench, form: &[(&str, &str)]) -> Answer {
    bench.post("/oidc/device/auth", form, &[]).await
}

/// Device code and what the pages would find under its user code.
pub(super) async fn begun(bench: &Bench, client_id: &str, scope: &str) -> (String, DeviceRequest) {
    let answer = begin(bench, &[("client_id", client_id), ("scope", scope)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let json = answer.json();
    let request = found(bench, json["user_code"].as_str().unwrap()).await.unwrap();
    (json["device_code"].as_str().unwrap().to_owned(), request)
}

async fn found(bench: &Bench, user_code: &str) -> Option<DeviceRequest> {
    let code = UserCode::parse(user_code).unwrap();
    bench.provider.device_request(&code, bench.now()).await.unwrap()
}

pub(super) async fn poll(bench: &Bench, client_id: &str, device_code: &str) -> Answer {
    let form = [
        ("grant_type", GRANT),
        ("client_id", client_id),
        ("device_code", device_code),
    ];
    bench.post("/oidc/token", &form, &[]).await
}

pub(super) async fn approve(bench: &Bench, request: &DeviceRequest, session: &Session) -> Answered {
    bench
        .provider
        .approve_device(request, session, Some("192.0.2.7"), bench.now())
        .await
        .unwrap()
}

pub(super) async fn audited(bench: &Bench) -> Vec<(String, Option<String>, Option<String>)> {
    sqlx::query_as("SELECT event, subject, client_id FROM audit ORDER BY at, event")
        .fetch_all(bench.store.reader())
        .await
        .unwrap()
}

#[tokio::test]
async fn rfc8628_3_2_a_device_is_told_its_codes_where_to_go_and_how_often_to_ask() {
    let bench = Bench::new().await;
    let answer = begin(&bench, &[("client_id", "tv"), ("scope", "openid offline_access")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let json = answer.json();
    let user_code = json["user_code"].as_str().unwrap();
    assert_eq!(json["verification_uri"], "http://localhost:3001/device");
    assert_eq!(
        json["verification_uri_complete"],
        format!("http://localhost:3001/device?user_code={user_code}")
    );
    assert_eq!((&json["expires_in"], &json["interval"]), (&json!(600), &json!(5)));
    assert!(json["device_code"].as_str().unwrap().len() >= 43);
    let document = bench
        .get("/oidc/.well-known/openid-configuration", "")
        .await
        .json();
    assert_eq!(
        document["device_authorization_endpoint"],
        "http://localhost:3001/oidc/device/auth"
    );
    assert!(
        document["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!(GRANT))
    );
    // Neither code rests in the clear.
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT digest, user_digest FROM device_codes")
        .fetch_all(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(rows[0].0, digest_of(json["device_code"].as_str().unwrap()));
    assert_ne!(
        rows[0].1,
        digest_of(&user_code.replace('-', "")),
        "a bare hash of a short code is no digest"
    );
}

#[tokio::test]
async fn rfc8628_3_1_only_apps_that_may_ask_and_for_what_they_may_have() {
    let bench = Bench::new().await;
    for (form, error) in [
        (
            &[("client_id", "native"), ("scope", "openid")][..],
            "unauthorized_client",
        ),
        (
            &[
                ("client_id", "web"),
                ("client_secret", SECRET),
                ("scope", "openid"),
            ],
            "unauthorized_client",
        ),
        (&[("client_id", "nobody"), ("scope", "openid")], "invalid_client"),
        (
            &[("client_id", "tv"), ("client_secret", "x"), ("scope", "openid")],
            "invalid_client",
        ),
        (&[("client_id", "tv")], "invalid_scope"),
        (&[("client_id", "tv"), ("scope", "unheard")], "invalid_scope"),
        (
            &[
                ("client_id", "tv"),
                ("scope", "openid"),
                ("resource", "https://other.example"),
            ],
            "invalid_target",
        ),
        (
            &[("client_id", "tv"), ("scope", "openid"), ("scope", "email")],
            "invalid_request",
        ),
    ] {
        assert_eq!(begin(&bench, form).await.error(), error, "{form:?}");
    }
    let (code, _) = begun(&bench, "tv", "openid").await;
    assert_eq!(poll(&bench, "native", &code).await.error(), "unauthorized_client");
    assert_eq!(
        poll(&bench, "foreign-tv", &code).await.error(),
        "invalid_grant",
        "another app's"
    );
    assert_eq!(poll(&bench, "tv", "unheard").await.error(), "invalid_grant");
    assert_eq!(poll(&bench, "tv", "").await.error(), "invalid_request");
}

#[tokio::test]
async fn rfc8628_3_4_what_a_person_allows_becomes_tokens_once() {
    let bench = Bench::new().await;
    let (code, request) = begun(&bench, "tv", "openid email offline_access").await;
    assert_eq!(request.app.display_name(), "The TV");
    assert_eq!(poll(&bench, "tv", &code).await.error(), "authorization_pending");
    bench.clock.advance(Duration::from_secs(30));
    let (session, _) = bench.sign_in(ALICE, "").await;
    let signed_in_at = bench.now().as_secs();
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(approve(&bench, &request, &session).await, Answered::Done);
    assert_eq!(
        audited(&bench).await,
        [(
            "device_allowed".to_owned(),
            Some(ALICE.to_owned()),
            Some("tv".to_owned())
        )]
    );
    // A code that was answered is not found by anybody else any more.
    assert!(
        bench
            .provider
            .device_request(&UserCode::parse("BBBBBBBB").unwrap(), bench.now())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(approve(&bench, &request, &session).await, Answered::Gone);

    let answer = poll(&bench, "tv", &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let tokens = answer.json();
    let (_, claims) = verified(&bench, tokens["id_token"].as_str().unwrap()).await;
    for (name, value) in [
        ("sub", json!(ALICE)),
        ("aud", json!("tv")),
        ("auth_time", json!(signed_in_at)),
        ("sid", json!(session.id)),
        ("email", json!("alice@example.test")),
        ("nonce", Value::Null),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let userinfo = bench.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.json()["sub"], ALICE);
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refreshed = bench.refresh(refresh_token, &[("client_id", "tv")]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
    // Two who hold the code: what it gave ends.
    assert_eq!(poll(&bench, "tv", &code).await.error(), "invalid_grant");
    let refresh_token = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(
        bench
            .refresh(&refresh_token, &[("client_id", "tv")])
            .await
            .error(),
        "invalid_grant"
    );
    assert_eq!(
        poll(&bench, "tv", &code).await.error(),
        "invalid_grant",
        "and it stays so"
    );
}

/// Tokens of the TV, and the device code that brought them.
async fn with_tokens(bench: &Bench) -> (String, Value) {
    let (code, request) = begun(bench, "tv", "openid offline_access").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(bench, &request, &session).await;
    bench.clock.advance(Duration::from_secs(60));
    let tokens = poll(bench, "tv", &code).await.json();
    (code, tokens)
}

#[tokio::test]
async fn rfc8628_3_5_a_repeat_right_after_the_answer_ends_nothing() {
    let bench = Bench::new().await;
    let (code, tokens) = with_tokens(&bench).await;
    let token = tokens["access_token"].as_str().unwrap();
    bench.clock.advance(Duration::from_millis(4_999));
    assert_eq!(poll(&bench, "tv", &code).await.error(), "invalid_grant");
    assert_eq!(bench.userinfo(token).await.status, StatusCode::OK);
    // The repeat itself buys no more time.
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(poll(&bench, "tv", &code).await.error(), "invalid_grant");
    assert_eq!(bench.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn rfc6749_10_5_a_repeat_of_a_code_whose_tokens_are_in_use_ends_them_at_once() {
    let bench = Bench::new().await;
    let (code, tokens) = with_tokens(&bench).await;
    let refreshed = bench
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[("client_id", "tv")])
        .await
        .json();
    assert_eq!(poll(&bench, "tv", &code).await.error(), "invalid_grant");
    let userinfo = bench.userinfo(refreshed["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc8628_3_4_of_a_hundred_polls_at_once_one_gets_the_tokens() {
    let bench = Arc::new(Bench::new().await);
    let (code, request) = begun(&bench, "tv", "openid").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (bench, code) = (bench.clone(), code.clone());
        running.spawn(async move { poll(&bench, "tv", &code).await });
    }
    let (served, refused): (Vec<_>, Vec<_>) = running
        .join_all()
        .await
        .into_iter()
        .partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((served.len(), refused.len()), (1, 99));
    assert!(refused.iter().all(|answer| answer.error() == "invalid_grant"));
    // They came right after it, as polls of one device do that cross on a slow network.
    let tokens = served[0].json();
    let userinfo = bench.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, StatusCode::OK);
}

#[tokio::test]
async fn rfc8628_3_5_a_no_and_an_expiry_are_told_apart() {
    let bench = Bench::new().await;
    let (denied, request) = begun(&bench, "tv", "openid").await;
    let (expired, late) = begun(&bench, "tv", "openid").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    let answered = bench
        .provider
        .deny_device(&request, &session, None, bench.now())
        .await
        .unwrap();
    assert_eq!(answered, Answered::Done);
    assert_eq!(
        approve(&bench, &request, &session).await,
        Answered::Gone,
        "a no stays a no"
    );
    assert_eq!(poll(&bench, "tv", &denied).await.error(), "access_denied");
    bench.clock.advance(Duration::from_secs(600));
    for (code, error) in [(&denied, "expired_token"), (&expired, "expired_token")] {
        assert_eq!(poll(&bench, "tv", code).await.error(), error);
    }
    assert_eq!(approve(&bench, &late, &session).await, Answered::Gone);
    // Told for an hour, then forgotten.
    bench.provider.sweep(bench.now()).await.unwrap();
    assert_eq!(poll(&bench, "tv", &expired).await.error(), "expired_token");
    bench.clock.advance(Duration::from_secs(3_600));
    bench.provider.sweep(bench.now()).await.unwrap();
    assert_eq!(poll(&bench, "tv", &expired).await.error(), "invalid_grant");
}

#[tokio::test]
async fn sr86_a_grant_whose_device_never_came_is_swept() {
    let bench = Bench::new().await;
    let (code, request) = begun(&bench, "tv", "openid offline_access").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(poll(&bench, "tv", &code).await.error(), "expired_token");
    bench.provider.sweep(bench.now()).await.unwrap();
    let grants: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM grants")
        .fetch_one(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(grants, 0);
}

#[tokio::test]
async fn sr54_a_reset_ends_what_was_allowed_and_what_was_about_to_be() {
    let bench = Bench::new().await;
    let (allowed, request) = begun(&bench, "tv", "openid offline_access").await;
    let (open, pending) = begun(&bench, "tv", "openid offline_access").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    bench.clock.advance(Duration::from_secs(1));
    let mut tx = bench.store.begin().await.unwrap();
    cut_off::cut_off(&mut tx, ALICE, None, bench.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(poll(&bench, "tv", &allowed).await.error(), "invalid_grant");
    // Whoever was on the confirmation page with the old password's session allows nothing.
    assert_eq!(
        approve(&bench, &pending, &session).await,
        Answered::NobodySignedIn
    );
    assert_eq!(poll(&bench, "tv", &open).await.error(), "authorization_pending");
}

#[tokio::test]
async fn rfc8628_3_3_the_answer_to_an_app_of_others_is_a_consent_and_is_kept() {
    let bench = Bench::new().await;
    let (code, request) = begun(&bench, "foreign-tv", "openid email offline_access").await;
    let asked: Vec<_> = request.permissions.scopes.iter().map(String::as_str).collect();
    assert_eq!(asked, ["email", "offline_access", "openid"]);
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    let kept = consents::list(bench.store.reader(), ALICE).await.unwrap();
    assert_eq!(kept[0].client_id, "foreign-tv");
    let events: Vec<_> = audited(&bench).await.into_iter().map(|line| line.0).collect();
    assert_eq!(events, ["consent_given", "device_allowed"]);
    let tokens = poll(&bench, "foreign-tv", &code).await.json();
    let mut tx = bench.store.begin().await.unwrap();
    consents::withdraw(&mut tx, ALICE, "foreign-tv", bench.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let dead = bench.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(dead.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn rfc8707_2_2_a_device_gets_tokens_for_apis_too() {
    let bench = Bench::new().await;
    let form = [
        ("client_id", "tv"),
        ("scope", "openid read:books"),
        ("resource", API),
    ];
    let json = begin(&bench, &form).await.json();
    let request = found(&bench, json["user_code"].as_str().unwrap()).await.unwrap();
    let (session, _) = bench.sign_in(ALICE, "").await;
    approve(&bench, &request, &session).await;
    let form = [
        ("grant_type", GRANT),
        ("client_id", "tv"),
        ("device_code", json["device_code"].as_str().unwrap()),
        ("resource", API),
    ];
    let tokens = bench.post("/oidc/token", &form, &[]).await.json();
    let (header, claims) = verified(&bench, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((&header["typ"], &claims["aud"]), (&json!("at+jwt"), &json!(API)));
    assert_eq!(
        (&claims["sub"], &claims["scope"]),
        (&json!(ALICE), &json!("read:books"))
    );
}
