//! `keyback doctor`: what it finds at the companion, and at providers that are broken.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{DATE, LOCATION};
use axum::response::IntoResponse as _;
use axum::routing::get;
use keyback_tests::{Demo, Keyback};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::test]
async fn the_companion_is_sound_and_shows_its_reset_page() {
    let demo = Demo::start(&[]).await;
    let issuer = demo.companion.join("/oidc").unwrap();
    let app = [
        "--client-id",
        "demo-web",
        "--redirect-uri",
        "http://localhost:8080/callback",
    ];
    let args = [["doctor", "--issuer", issuer.as_str()].as_slice(), &app].concat();
    let found = Keyback::run(&args).await;
    found.assert_done();
    for line in [
        "ok    discovery: ",
        "ok    clock: ",
        "ok    keys: ",
        "ok    PKCE: S256",
        "ok    iss: ",
        "note  PAR: offered",
        "note  DPoP: ",
        "ok    back-channel logout: offered, by session",
        "ok    redirect URI: registered for the app",
        "ok    reset page: a reset request leads to /forgot-password",
    ] {
        assert!(found.out.contains(line), "{line:?} is not said: {}", found.out);
    }

    let elsewhere = [
        "--client-id",
        "demo-web",
        "--redirect-uri",
        "http://localhost:8080/elsewhere",
    ];
    let args = [["doctor", "--issuer", issuer.as_str()].as_slice(), &elsewhere].concat();
    let found = Keyback::run(&args).await;
    found.assert_refused(&["to be mended"]);
    assert!(
        found
            .out
            .contains("MEND  redirect URI: the provider answers with status"),
        "{}",
        found.out
    );

    // Without an app, only what anybody may ask is asked.
    let found = Keyback::run(&["doctor", "--issuer", issuer.as_str()]).await;
    found.assert_done();
    assert!(found.out.contains("not tried"), "{}", found.out);
    let trailing = format!("{issuer}/");
    let found = Keyback::run(&["doctor", "--issuer", &trailing]).await;
    found.assert_refused(&["to be mended"]);
    assert!(found.out.contains("names another issuer"), "{}", found.out);
    assert_eq!(demo.terminate().await, Some(0));
}

/// A provider with everything wrong that can be seen from outside.
async fn broken(change: impl Fn(&mut Value, &str)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/oidc", listener.local_addr().unwrap());
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "id_token_signing_alg_values_supported": ["HS256"],
    });
    change(&mut metadata, &issuer);
    let document =
        async move || ([(DATE, "Mon, 23 Nov 2020 13:08:34 GMT")], axum::Json(metadata)).into_response();
    // Whatever is asked, the sign-in page is shown.
    let sign_in = async || (StatusCode::SEE_OTHER, [(LOCATION, "/sign-in")]);
    let routes = Router::new()
        .route("/oidc/.well-known/openid-configuration", get(document))
        .route("/oidc/jwks", get(async || axum::Json(json!({ "keys": [] }))))
        .route("/oidc/auth", get(sign_in));
    tokio::spawn(async { axum::serve(listener, routes).await });
    issuer
}

#[tokio::test]
async fn a_broken_provider_is_told_what_to_mend() {
    let issuer = broken(|metadata, _| {
        metadata["code_challenge_methods_supported"] = json!(["plain"]);
        metadata["require_pushed_authorization_requests"] = json!(true);
    })
    .await;
    let found = Keyback::run(&["doctor", "--issuer", &issuer]).await;
    found.assert_refused(&["5 things are to be mended"]);
    for line in [
        "MEND  clock: the provider's clock is",
        "MEND  metadata and keys: ",
        "MEND  ID tokens: signed by one of HS256, which the SDK does not check",
        "MEND  PKCE: ",
        "MEND  PAR: required",
    ] {
        assert!(found.out.contains(line), "{line:?} is not said: {}", found.out);
    }

    let issuer = broken(|_, _| {}).await;
    let app = [
        "--client-id",
        "app",
        "--redirect-uri",
        "http://localhost:8080/callback",
    ];
    let args = [["doctor", "--issuer", issuer.as_str()].as_slice(), &app].concat();
    let found = Keyback::run(&args).await;
    let line = "MEND  reset page: a reset request leads to /sign-in, as any sign-in does";
    assert!(found.out.contains(line), "{}", found.out);

    let issuer =
        broken(|metadata, _| metadata["issuer"] = json!("https://evil.example\nok    keys: forged")).await;
    let found = Keyback::run(&["doctor", "--issuer", &issuer]).await;
    found.assert_refused(&["to be mended"]);
    assert!(
        !found.out.lines().any(|line| line.starts_with("ok    keys")),
        "{}",
        found.out
    );

    let found = Keyback::run(&["doctor", "--issuer", "http://127.0.0.1:9/oidc"]).await;
    found.assert_refused(&["one thing is to be mended"]);
    assert!(found.out.contains("can't be had"), "{}", found.out);
    let found = Keyback::run(&["doctor", "--issuer", "not a url"]).await;
    found.assert_refused(&["one thing is to be mended"]);
}
