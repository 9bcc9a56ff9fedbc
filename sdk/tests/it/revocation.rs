//! Revocation (RFC 7009).

use keyback::{Endpoint, EndpointError, Error};
use serde_json::json;

use crate::provider::{ACCESS_TOKEN, World, checked};
use crate::seen::{answer, serve};

#[tokio::test]
async fn rfc7009_2_1_the_refresh_token_goes_or_the_access_token_where_there_is_none() {
    let world = World::new();
    let log = serve(&world, "/oidc/revoke", Some("revocation_endpoint"), |_, _| {
        answer(200, &json!(null), &[])
    });
    let session = world.sign_in().await.unwrap();
    world.client.revoke(&session).await.unwrap();
    let seen = log.last();
    assert_eq!(seen.field("token"), session.refresh_token());
    assert_eq!(seen.field("token_type_hint"), Some("refresh_token"));

    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    let session = world.sign_in().await.unwrap();
    world.client.revoke(&session).await.unwrap();
    let seen = log.last();
    assert_eq!(seen.field("token"), Some(ACCESS_TOKEN));
    assert_eq!(seen.field("token_type_hint"), Some("access_token"));
}

#[tokio::test]
async fn rfc7009_2_2_1_a_refusal_is_told() {
    let revoked = async |status, code: &'static str| {
        let world = World::new();
        serve(
            &world,
            "/oidc/revoke",
            Some("revocation_endpoint"),
            move |_, _| answer(status, &json!({ "error": code }), &[]),
        );
        let session = world.sign_in().await.unwrap();
        match checked(world.client.revoke(&session).await).unwrap_err() {
            Error::Endpoint(error) => error,
            other => panic!("{other}"),
        }
    };
    let error = revoked(400, "unsupported_token_type").await;
    assert!(
        matches!(&error, EndpointError::Refused { error, .. } if error.code() == "unsupported_token_type")
    );
    assert!(revoked(503, "x").await.is_retryable());
    assert!(matches!(
        revoked(401, "invalid_client").await,
        EndpointError::InvalidClient { .. }
    ));
}

#[tokio::test]
async fn a_provider_that_revokes_nothing_is_told_from_one_that_fails() {
    let world = World::new();
    {
        let mut state = world.provider.lock();
        state
            .metadata
            .as_object_mut()
            .unwrap()
            .remove("revocation_endpoint");
    }
    let session = world.sign_in().await.unwrap();
    let error = world.client.revoke(&session).await.unwrap_err();
    let endpoint = Endpoint::Revocation;
    assert!(matches!(error, Error::Endpoint(EndpointError::NotOffered { endpoint: e }) if e == endpoint));
}
