//! Claims, userinfo, and all of it in one call.

use http::StatusCode;
use keyback::{ContextRequest, Error, UserInfoError};
use serde_json::json;

use super::{ORDERS, number_tokens, sessions, signed_in, uses};
use crate::provider::{SUBJECT, World, access_token_for, checked};

#[tokio::test]
async fn one_call_gives_what_a_page_needs() {
    let (_, sessions, signed_in) = signed_in().await;
    let request = ContextRequest::new().resource(ORDERS).user_info();
    for context in [
        signed_in.context(&request).await.unwrap(),
        sessions.context(Some(signed_in.id()), &request).await.unwrap(),
    ] {
        assert!(context.is_authenticated);
        assert_eq!(context.claims.unwrap().subject(), SUBJECT);
        let token = context.access_token.unwrap();
        assert_eq!(token.as_str(), access_token_for(ORDERS));
        assert_eq!(token.scopes(), Some(["openid".to_owned()].as_slice()));
        assert!(token.expires_at().is_some());
        assert_eq!(context.user_info.unwrap().name(), Some("Ada"));
    }
}

#[tokio::test]
async fn nothing_is_fetched_that_was_not_asked_for() {
    let (world, sessions, signed_in) = signed_in().await;
    let context = sessions
        .context(Some(signed_in.id()), &ContextRequest::new())
        .await
        .unwrap();
    assert!(context.is_authenticated && context.access_token.is_none() && context.user_info.is_none());
    assert_eq!((uses(&world), world.provider.requests("/oidc/me")), (0, 0));
}

#[tokio::test]
async fn nobody_has_an_empty_context() {
    let (_, sessions, signed_in) = signed_in().await;
    let request = ContextRequest::new().resource(ORDERS).user_info();
    sessions.end(signed_in.id()).await.unwrap().run().await.unwrap();
    for id in [None, Some(signed_in.id())] {
        let context = sessions.context(id, &request).await.unwrap();
        assert!(!context.is_authenticated && context.claims.is_none());
        assert!(context.access_token.is_none() && context.user_info.is_none());
    }
}

#[tokio::test]
async fn user_info_is_about_the_same_person() {
    let (world, _, signed_in) = signed_in().await;
    world.provider.lock().user_info = (StatusCode::OK, json!({ "sub": "somebody-else" }));
    let error = checked(signed_in.user_info().await).unwrap_err();
    assert!(matches!(error, Error::UserInfo(UserInfoError::SubjectMismatch)));
}

/// A token that the provider has withdrawn is replaced once, and no more.
#[tokio::test]
async fn a_withdrawn_token_is_replaced() {
    let (world, _, signed_in) = signed_in().await;
    number_tokens(&world);
    // The test's userinfo endpoint knows the sign-in's token alone, and refuses the next.
    world.provider.lock().user_info = (StatusCode::UNAUTHORIZED, json!({}));
    let error = checked(signed_in.user_info().await).unwrap_err();
    assert!(matches!(error, Error::UserInfo(UserInfoError::TokenRefused)));
    assert_eq!((uses(&world), world.provider.requests("/oidc/me")), (1, 2));
}

/// RFC 9068: a JWT can be looked into, an opaque token can't.
#[tokio::test]
async fn the_claims_of_an_access_token_can_be_shown() {
    let world = World::new();
    let jwt = world
        .provider
        .lock()
        .signer
        .sign(&json!({ "scope": "read:orders", "organization_id": "org-1" }));
    world.provider.lock().tokens = Some(Box::new(move |tokens| tokens["access_token"] = json!(jwt)));
    let session = world.sign_in().await.unwrap();
    let signed_in = sessions(&world).begin(&session).await.unwrap();
    let token = signed_in.access_token(None, None).await.unwrap();
    assert_eq!(token.unverified_claims().unwrap()["organization_id"], "org-1");

    world.provider.lock().tokens = None;
    let session = world.sign_in().await.unwrap();
    let signed_in = sessions(&world).begin(&session).await.unwrap();
    let token = signed_in.access_token(None, None).await.unwrap();
    assert!(token.unverified_claims().is_none());
}
