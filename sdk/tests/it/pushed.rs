//! Pushed authorization requests (RFC 9126).

use keyback::{ClientBuilder, Endpoint, EndpointError, Error, Provider};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, ISSUER, World, checked};
use crate::seen::{Log, answer, serve};

const REFERENCE: &str = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";
const MEMBER: &str = "pushed_authorization_request_endpoint";

fn accepting(world: &World, status: u16, body: Value) -> Log {
    serve(world, "/oidc/par", Some(MEMBER), move |_, _| {
        answer(status, &body, &[])
    })
}

fn pushed() -> Value {
    json!({ "request_uri": REFERENCE, "expires_in": 60 })
}

#[tokio::test]
async fn rfc9126_4_only_a_reference_goes_through_the_browser() {
    let world = World::with(ClientBuilder::pushed_requests);
    let log = accepting(&world, 201, pushed());
    let begun = world
        .client
        .forgot_password()
        .login_hint("ada@example.com")
        .resource("https://one.example")
        .resource("https://other.example")
        .start()
        .await
        .unwrap();
    let sent: Vec<_> = begun.url.query_pairs().into_owned().collect();
    let expected = [("client_id", CLIENT_ID), ("request_uri", REFERENCE)];
    assert_eq!(
        sent,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(begun.url.as_str().starts_with(&format!("{ISSUER}/auth?")));

    let seen = log.last();
    let fields = seen.fields();
    for (name, value) in [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("first_screen", "reset-password"),
        ("login_hint", "ada@example.com"),
        ("code_challenge_method", "S256"),
        ("state", begun.pending.state()),
    ] {
        assert_eq!(fields.get(name), Some(&value), "{name}");
    }
    assert!(fields["prompt"].starts_with("login"));
    assert_eq!(seen.field("client_id"), Some(CLIENT_ID)); // once
    let resources = seen.form.iter().filter(|(name, _)| name == "resource");
    assert_eq!(resources.count(), 2);
    assert_eq!(fields.get("request_uri"), None); // section 2.1
}

/// Section 5: the provider says that it takes no others.
#[tokio::test]
async fn a_provider_that_requires_it_gets_it_unasked() {
    let world = World::new();
    let log = accepting(&world, 201, pushed());
    let _ = world.begin().await;
    assert_eq!(log.len(), 0);

    let world = World::new();
    let log = accepting(&world, 201, pushed());
    world.provider.lock().metadata["require_pushed_authorization_requests"] = json!(true);
    let begun = world.begin().await;
    assert_eq!(log.len(), 1);
    assert!(!begun.url.as_str().contains("state="));
}

async fn refused(world: &World) -> EndpointError {
    let error = checked(world.client.sign_in().start().await).expect_err("it must be refused");
    match error {
        Error::Endpoint(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn without_the_endpoint_nothing_goes_unpushed() {
    let world = World::with(ClientBuilder::pushed_requests);
    let endpoint = Endpoint::PushedRequest;
    assert!(matches!(refused(&world).await, EndpointError::NotOffered { endpoint: e } if e == endpoint));
}

#[tokio::test]
async fn rfc9126_2_2_an_answer_that_is_none_is_refused() {
    for (status, body) in [
        (200, pushed()),
        (201, json!({})),
        (201, json!({ "request_uri": REFERENCE })),
        (201, json!({ "request_uri": REFERENCE, "expires_in": 0 })),
        (201, json!({ "request_uri": REFERENCE, "expires_in": "60" })),
        (201, json!({ "request_uri": "", "expires_in": 60 })),
        (201, json!({ "request_uri": "no uri", "expires_in": 60 })),
        (
            201,
            json!({ "request_uri": format!("urn:{}", "a".repeat(3000)), "expires_in": 60 }),
        ),
        (201, json!([REFERENCE])),
        (302, json!({})),
    ] {
        let world = World::with(ClientBuilder::pushed_requests);
        accepting(&world, status, body.clone());
        let error = refused(&world).await;
        assert!(
            matches!(error, EndpointError::Malformed { .. }),
            "{status} {body}: {error}"
        );
    }
}

#[tokio::test]
async fn rfc9126_2_3_a_refusal_names_whose_fault_it_is() {
    let refusal = async |status, code: &str| {
        let world = World::with(ClientBuilder::pushed_requests);
        accepting(
            &world,
            status,
            json!({ "error": code, "error_description": "must-not-leak" }),
        );
        refused(&world).await
    };
    assert!(matches!(
        refusal(401, "invalid_client").await,
        EndpointError::InvalidClient { .. }
    ));
    let error = refusal(400, "invalid_request").await;
    assert!(matches!(&error, EndpointError::Refused { error, .. } if error.code() == "invalid_request"));
    let error = refusal(503, "temporarily_unavailable").await;
    assert!(matches!(error, EndpointError::Unavailable { status: 503, .. }));
    assert!(error.is_retryable());
}

/// A page of the provider's own gets the reference as it would get the request.
#[tokio::test]
async fn a_reset_entry_gets_the_reference() {
    let world = World::with(|builder| builder.provider(Provider::Cognito).pushed_requests());
    world.provider.lock().metadata["authorization_endpoint"] = json!("https://id.example/oauth2/authorize");
    accepting(&world, 201, pushed());
    let begun = world.client.forgot_password().start().await.unwrap();
    assert_eq!(begun.url.path(), "/forgotPassword");
    assert!(begun.url.query().unwrap().contains("request_uri=urn"));
}
