//! Client credentials, and what becomes of the tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::token::verified;
use super::*;
use crate::store::apps::{self, StoredApp};

async fn ask(bench: &Bench, client_id: &str, form: &[(&str, &str)]) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:{SECRET}")));
    let form = [&[("grant_type", "client_credentials")], form].concat();
    bench
        .post("/oidc/token", &form, &[("authorization", &basic)])
        .await
}

async fn introspect(bench: &Bench, client_id: &str, token: &str) -> Value {
    let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:{SECRET}")));
    let answer = bench
        .post(
            "/oidc/token/introspection",
            &[("token", token)],
            &[("authorization", &basic)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

async fn add_worker(bench: &Bench) {
    let config = json!({ "client_id": "worker", "type": "machine", "scopes": ["reports", "backups"] });
    let app = StoredApp {
        config: serde_json::from_value(config).unwrap(),
        secret_digest: Some(digest_of(SECRET)),
    };
    apps::add(bench.store.writer(), &app, bench.now()).await.unwrap();
}

#[tokio::test]
async fn rfc6749_4_4_3_a_machine_app_gets_an_access_token_and_nothing_else() {
    let bench = Bench::new().await;
    add_worker(&bench).await;
    let answer = ask(&bench, "worker", &[("scope", "backups")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let tokens = answer.json();
    let mut members: Vec<_> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_eq!(tokens["scope"], "backups");
    let token = tokens["access_token"].as_str().unwrap();
    let seen = introspect(&bench, "worker", token).await;
    let now = bench.now().as_secs();
    assert_eq!(
        seen,
        json!({ "active": true, "token_type": "Bearer", "scope": "backups", "client_id": "worker", "sub": "worker",
            "aud": "worker", "iss": "http://localhost:3001/oidc", "iat": now, "exp": now + 3600 })
    );
    // Nobody is behind it.
    assert_eq!(bench.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        introspect(&bench, "machine", token).await,
        json!({ "active": false })
    );
    // It rests as a digest.
    let digests: Vec<String> = sqlx::query_scalar("SELECT digest FROM machine_tokens")
        .fetch_all(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(digests, [digest_of(token)]);
}

#[tokio::test]
async fn rfc9068_2_2_for_a_resource_it_is_a_jwt_whose_subject_is_the_app() {
    let bench = Bench::new().await;
    let answer = ask(&bench, "machine", &[("resource", API), ("scope", "read:books")])
        .await
        .json();
    let (header, claims) = verified(&bench, answer["access_token"].as_str().unwrap()).await;
    assert_eq!(header["typ"], "at+jwt");
    let now = bench.now().as_secs();
    for (name, value) in [
        ("iss", json!("http://localhost:3001/oidc")),
        ("sub", json!("machine")),
        ("client_id", json!("machine")),
        ("aud", json!(API)),
        ("scope", json!("read:books")),
        ("iat", json!(now)),
        ("exp", json!(now + 3600)),
        ("sid", Value::Null),
        ("auth_time", Value::Null),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
}

#[tokio::test]
async fn rfc6749_3_3_and_rfc8707_2_2_scope_and_resource_stay_within_the_app() {
    let bench = Bench::new().await;
    add_worker(&bench).await;
    for (client_id, form, outcome) in [
        ("worker", &[][..], Ok("reports backups")),
        ("worker", &[("scope", "backups reports")], Ok("backups reports")),
        ("worker", &[("scope", "reports openid")], Err("invalid_scope")),
        ("worker", &[("scope", "offline_access")], Err("invalid_scope")),
        ("worker", &[("scope", "read:books")], Err("invalid_scope")),
        ("worker", &[("scope", "a\"b")], Err("invalid_scope")),
        ("worker", &[("resource", API)], Err("invalid_target")),
        ("machine", &[("resource", API)], Ok("read:books write:books")),
        (
            "machine",
            &[("resource", API), ("scope", "reports")],
            Err("invalid_scope"),
        ),
        (
            "machine",
            &[("resource", "https://other.example")],
            Err("invalid_target"),
        ),
        (
            "machine",
            &[("resource", API), ("resource", "https://other.example")],
            Err("invalid_target"),
        ),
        ("machine", &[], Ok("")),
    ] {
        let answer = ask(&bench, client_id, form).await;
        match outcome {
            Ok(scope) => assert_eq!(
                answer.json()["scope"].as_str().unwrap_or_default(),
                scope,
                "{form:?}"
            ),
            Err(error) => assert_eq!(answer.error(), error, "{form:?}"),
        }
    }
}

#[tokio::test]
async fn rfc6749_5_2_apps_with_people_are_not_authorized_and_machines_have_no_other_grant() {
    let bench = Bench::new().await;
    assert_eq!(ask(&bench, "web", &[]).await.error(), "unauthorized_client");
    let spa = [("grant_type", "client_credentials"), ("client_id", "spa")];
    assert_eq!(
        bench.post("/oidc/token", &spa, &[]).await.error(),
        "unauthorized_client"
    );
    let wrong = [
        ("grant_type", "client_credentials"),
        ("client_id", "machine"),
        ("client_secret", "x"),
    ];
    assert_eq!(
        bench.post("/oidc/token", &wrong, &[]).await.error(),
        "invalid_client"
    );
    for grant_type in ["authorization_code", "refresh_token"] {
        let form = [
            ("grant_type", grant_type),
            ("client_id", "machine"),
            ("client_secret", SECRET),
        ];
        assert_eq!(
            bench.post("/oidc/token", &form, &[]).await.error(),
            "unauthorized_client"
        );
    }
    let form = [
        ("grant_type", "password"),
        ("client_id", "machine"),
        ("client_secret", SECRET),
    ];
    assert_eq!(
        bench.post("/oidc/token", &form, &[]).await.error(),
        "unsupported_grant_type"
    );
}

#[tokio::test]
async fn rfc7009_2_1_and_rfc7662_2_2_tokens_of_machines_are_given_back_and_end_with_time_and_app() {
    let bench = Bench::new().await;
    add_worker(&bench).await;
    let token = async |client_id: &'static str, form: &'static [(&str, &str)]| {
        let answer = ask(&bench, client_id, form).await.json();
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let revoke = async |client_id: &str, token: &str| {
        let form = [
            ("client_id", client_id),
            ("client_secret", SECRET),
            ("token", token),
        ];
        bench.post("/oidc/token/revocation", &form, &[]).await
    };
    let active = async |token: &str| introspect(&bench, "machine", token).await["active"] == true;
    for form in [&[][..], &[("resource", API)]] {
        let token = token("machine", form).await;
        assert_eq!(
            revoke("worker", &token).await.error(),
            "invalid_request",
            "another app's"
        );
        assert!(active(&token).await);
        assert_eq!(revoke("machine", &token).await.status, StatusCode::OK);
        assert!(!active(&token).await);
        assert_eq!(
            revoke("machine", &token).await.status,
            StatusCode::OK,
            "2.2: again"
        );
    }
    let late = token("machine", &[]).await;
    bench.clock.advance(Duration::from_secs(3_600));
    assert!(!active(&late).await);
    assert_eq!(bench.provider.sweep(bench.now()).await.unwrap(), 1);

    let kept = token("worker", &[]).await;
    let mut tx = bench.store.begin().await.unwrap();
    assert!(apps::remove(&mut tx, "worker").await.unwrap());
    tx.commit().await.unwrap();
    add_worker(&bench).await;
    assert_eq!(
        introspect(&bench, "worker", &kept).await,
        json!({ "active": false }),
        "it ended with the app"
    );
}
