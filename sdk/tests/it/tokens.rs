//! The token endpoint: who asks, and what may go wrong.

use http::StatusCode;
use keyback::{ClientAuthentication, Error, ExchangeError, Fault, Remedy};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, TokenRequest, World};

async fn request(world: &World) -> TokenRequest {
    world.sign_in().await.unwrap();
    world.provider.lock().token_request.clone().unwrap()
}

async fn failure(status: StatusCode, body: Value) -> ExchangeError {
    let world = World::new();
    world.provider.lock().token_error = Some((status, body));
    exchange_error(world.refused().await)
}

async fn changed(tamper: impl Fn(&mut Value) + Send + 'static) -> ExchangeError {
    let world = World::new();
    world.provider.lock().tokens = Some(Box::new(tamper));
    exchange_error(world.refused().await)
}

fn exchange_error(error: Error) -> ExchangeError {
    match error {
        Error::Exchange(error) => error,
        other => panic!("not about the exchange: {other:?}"),
    }
}

#[tokio::test]
async fn a_public_client_sends_its_id_alone() {
    let seen = request(&World::new()).await;
    assert_eq!(seen.authorization, None);
    assert_eq!(seen.field("client_id"), Some(CLIENT_ID));
    assert_eq!(seen.field("client_secret"), None);
}

/// RFC 6749 section 2.3.1: both are form-encoded before they are joined.
#[tokio::test]
async fn a_secret_goes_into_the_header_by_default() {
    let seen = request(&World::with(|builder| builder.client_secret("se:cr/et +ä"))).await;
    assert_eq!(seen.basic().as_deref(), Some("my-app:se%3Acr%2Fet+%2B%C3%A4"));
    assert_eq!(seen.field("client_secret"), None);
}

#[tokio::test]
async fn a_secret_goes_into_the_body_on_request() {
    let world = World::with(|builder| {
        builder
            .client_secret("se:cr/et")
            .client_authentication(ClientAuthentication::Post)
    });
    let seen = request(&world).await;
    assert_eq!(seen.authorization, None);
    assert_eq!(seen.field("client_id"), Some(CLIENT_ID));
    assert_eq!(seen.field("client_secret"), Some("se:cr/et"));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let error = failure(
        StatusCode::BAD_REQUEST,
        json!({"error": "invalid_grant", "code": "oidc.x"}),
    )
    .await;
    assert!(matches!(error, ExchangeError::InvalidGrant));
    assert_eq!(error.remedy(), Remedy::SignInAgain);

    let error = failure(StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"})).await;
    assert!(matches!(error, ExchangeError::InvalidClient));
    assert_eq!(
        (error.fault(), error.remedy()),
        (Fault::Application, Remedy::FixApplication)
    );

    let body =
        json!({"error": "invalid_target", "error_description": "unknown resource https://api.example"});
    let ExchangeError::Refused(refused) = failure(StatusCode::BAD_REQUEST, body).await else {
        panic!("a refusal is expected")
    };
    assert_eq!(refused.code(), "invalid_target");
    assert_eq!(
        refused.description(),
        Some("unknown resource https://api.example")
    );
}

#[tokio::test]
async fn an_overloaded_provider_is_worth_a_retry() {
    for status in [500, 502, 503, 429] {
        let error = failure(StatusCode::from_u16(status).unwrap(), json!({})).await;
        assert!(matches!(error, ExchangeError::Unavailable { status: s } if s == status));
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_provider_that_goes_away_is_told_apart_from_one_that_refuses() {
    let world = World::new();
    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    world.provider.lock().down = true;
    let error = exchange_error(world.client.finish(begun.pending, callback).await.unwrap_err());
    assert!(matches!(error, ExchangeError::Unreachable(_)));
    assert_eq!(error.fault(), Fault::Network);
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused() {
    for body in [json!([]), json!({}), json!("x"), json!({"error": 7})] {
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::FOUND] {
            assert!(
                matches!(failure(status, body.clone()).await, ExchangeError::Malformed),
                "{status} {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_sign_in_without_an_id_token_is_none() {
    let error = changed(|tokens| {
        tokens.as_object_mut().unwrap().remove("id_token");
    });
    assert!(matches!(error.await, ExchangeError::MissingIdToken));
}

#[tokio::test]
async fn only_bearer_tokens_are_understood() {
    let error = changed(|tokens| tokens["token_type"] = json!("DPoP"));
    assert!(matches!(error.await, ExchangeError::NotBearer));
    let world = World::new();
    world.provider.lock().tokens = Some(Box::new(|tokens| tokens["token_type"] = json!("bEaReR")));
    world.sign_in().await.unwrap();
}
