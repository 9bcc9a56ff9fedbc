//! Opaque tokens: the provider is asked (RFC 7662), and what it says is checked as a JWT's claims are.

use std::sync::Arc;

use keyback::resource_server::{AccessTokenError, ResourceServer};
use keyback::{ConfigError, Error, HttpTransport, TransportFuture};
use serde_json::{Value, json};

use super::{API, claims, signed};
use crate::provider::{CLIENT_ID, ISSUER, World, checked};

/// The world's provider, with an introspection endpoint that answers the same to everybody.
struct WithIntrospection {
    world: World,
    status: u16,
    answer: Value,
}

impl HttpTransport for WithIntrospection {
    fn send(&self, request: http::Request<bytes::Bytes>) -> TransportFuture<'_> {
        if request.uri().path() != "/oidc/token/introspection" {
            return self.world.provider.send(request);
        }
        assert_eq!(request.headers()["authorization"], "Basic YXBpOnMlMkJs");
        assert_eq!(request.body(), "token=opaque-token&token_type_hint=access_token");
        let response = http::Response::builder().status(self.status);
        let body = bytes::Bytes::from(self.answer.to_string());
        Box::pin(std::future::ready(Ok(response.body(body).unwrap())))
    }
}

fn api(status: u16, answer: Value) -> ResourceServer {
    let world = World::new();
    ResourceServer::builder(ISSUER, API)
        .introspection(format!("{ISSUER}/token/introspection"), "api", "s+l")
        .clock(world.clock.clone())
        .http(Arc::new(WithIntrospection {
            world,
            status,
            answer,
        }))
        .build()
        .unwrap()
}

fn active() -> Value {
    let mut answer = claims();
    answer["active"] = json!(true);
    answer["token_type"] = json!("Bearer");
    answer
}

#[tokio::test]
async fn an_active_token_for_this_api_opens_it() {
    let token = api(200, active()).verify("opaque-token").await.unwrap();
    assert_eq!(token.client_id(), CLIENT_ID);
    assert!(token.has_scope("write:orders"));
    // A JWT is checked here, and nobody is asked.
    let world = World::new();
    let jwt = signed(&world, &claims());
    let api = world
        .client
        .resource_server(API)
        .introspection(format!("{ISSUER}/nowhere"), "api", "s");
    api.build().unwrap().verify(&jwt).await.unwrap();
    assert_eq!(world.provider.requests("/oidc/nowhere"), 0);
}

#[tokio::test]
async fn what_the_provider_says_is_checked() {
    let with = |claim: &str, value: Value| {
        let mut answer = active();
        answer[claim] = value;
        answer
    };
    let cases = [
        (200, json!({ "active": false }), "access_token.inactive"),
        (
            200,
            with("aud", json!("https://mail.example")),
            "access_token.wrong_audience",
        ),
        (200, with("aud", Value::Null), "access_token.malformed"),
        (
            200,
            with("iss", json!("https://evil.example")),
            "access_token.wrong_issuer",
        ),
        (200, with("exp", json!(1)), "access_token.expired"),
        (
            200,
            with("cnf", json!({ "jkt": "a" })),
            "access_token.bound_to_key",
        ),
        (
            200,
            with("token_type", json!("DPoP")),
            "access_token.bound_to_key",
        ),
        (200, json!({}), "introspection.malformed"),
        (200, json!([]), "introspection.malformed"),
        (200, json!({ "active": "true" }), "introspection.malformed"),
        (
            401,
            json!({ "error": "invalid_client" }),
            "introspection.invalid_client",
        ),
        (503, json!({}), "introspection.status"),
    ];
    for (status, answer, code) in cases {
        let error = checked(api(status, answer.clone()).verify("opaque-token").await).unwrap_err();
        assert_eq!(error.code(), code, "{answer}");
    }
    // Where nobody is to be asked, an opaque token opens nothing.
    let world = World::new();
    let error = checked(super::api(&world).verify("opaque-token").await).unwrap_err();
    assert!(matches!(error, Error::AccessToken(AccessTokenError::Malformed)));
}

#[test]
fn the_endpoint_is_one_that_may_be_told_a_token() {
    for endpoint in [
        "http://id.example/introspect",
        "introspect",
        "https://a:b@id.example/",
    ] {
        let api = ResourceServer::builder(ISSUER, API)
            .introspection(endpoint, "api", "s")
            .build();
        let error = checked(api).unwrap_err();
        assert!(
            matches!(error, Error::Config(ConfigError::IntrospectionEndpoint)),
            "{endpoint}"
        );
    }
}
