//! APIs (RFC 8707): asked for at the sign-in, and one at a time at the token endpoint.

use std::time::{Duration, UNIX_EPOCH};

use keyback::{ApiAccess, Error, ExchangeError, Fault, IdTokenError, Session};
use serde_json::json;

use crate::provider::{ACCESS_TOKEN, NOW, TokenRequest, World, access_token_for, checked, half_hash};

const ORDERS: &str = "https://orders.example";
const STOCK: &str = "https://stock.example/v2";

async fn signed_in() -> (World, Session) {
    let world = World::new();
    let asked = world.client.sign_in().scope("offline_access");
    let begun = asked
        .resource(ORDERS)
        .resource(STOCK)
        .resource(ORDERS)
        .start()
        .await
        .unwrap();
    let sent = begun.url.query_pairs().filter(|(name, _)| name == "resource");
    let sent: Vec<String> = sent.map(|(_, value)| value.into_owned()).collect();
    assert_eq!(sent, [ORDERS, STOCK]);
    let callback = world.provider.answer(&begun.url);
    let session = checked(world.client.finish(begun.pending, callback).await).unwrap();
    (world, session)
}

fn token_request(world: &World) -> TokenRequest {
    world.provider.lock().token_request.clone().unwrap()
}

/// An access token is for one: that of the sign-in is for the provider, whatever APIs were asked for.
#[tokio::test]
async fn a_sign_in_that_asks_for_apis_has_an_access_token_for_user_info() {
    let (world, session) = signed_in().await;
    let request = token_request(&world);
    assert_eq!(request.field("grant_type"), Some("authorization_code"));
    assert_eq!(request.all("resource"), [""; 0]);
    assert_eq!(session.access_token(), ACCESS_TOKEN);
    assert_eq!(
        world.client.user_info(&session).await.unwrap().name(),
        Some("Ada")
    );
}

/// RFC 8707 section 2.2.
#[tokio::test]
async fn an_access_token_for_an_api_comes_by_the_refresh_token() {
    let (world, session) = signed_in().await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens["refresh_token"] = json!("refresh-2");
        tokens["scope"] = json!("read:orders");
        tokens["expires_in"] = json!(600);
    }));
    let access = checked(world.client.access_token_for(&session, ORDERS).await).unwrap();
    let request = token_request(&world);
    assert_eq!(request.field("grant_type"), Some("refresh_token"));
    assert_eq!(request.field("refresh_token"), Some("refresh-1"));
    assert_eq!(request.all("resource"), [ORDERS]);

    let printed = format!("{access:?}");
    assert!(!printed.contains("must-not-leak") && !printed.contains("refresh-"));
    let ApiAccess {
        tokens,
        session: kept,
    } = access;
    assert_eq!(tokens.access_token(), access_token_for(ORDERS));
    assert_eq!(
        tokens.expires_at(),
        Some(UNIX_EPOCH + Duration::from_secs(NOW + 600))
    );
    assert_eq!(tokens.scopes(), Some(["read:orders".to_owned()].as_slice()));
    assert_eq!(tokens.refresh_token(), None);

    // The session goes on: its own access token as before, and the refresh token that is now good.
    assert_eq!(kept.access_token(), ACCESS_TOKEN);
    assert_eq!(kept.refresh_token(), Some("refresh-2"));
    assert_eq!(kept.tokens().expires_at(), session.tokens().expires_at());
    assert_eq!(kept.tokens().scopes(), session.tokens().scopes());
    world.client.user_info(&kept).await.unwrap();

    let other = world.client.access_token_for(&kept, STOCK).await.unwrap();
    assert_eq!(token_request(&world).field("refresh_token"), Some("refresh-2"));
    assert_eq!(other.tokens.access_token(), access_token_for(STOCK));
}

#[tokio::test]
async fn a_refresh_without_a_resource_stays_with_user_info() {
    let (world, session) = signed_in().await;
    let session = world
        .client
        .access_token_for(&session, ORDERS)
        .await
        .unwrap()
        .session;
    let renewed = world.client.refresh(&session).await.unwrap();
    assert_eq!(token_request(&world).all("resource"), [""; 0]);
    world.client.user_info(&renewed).await.unwrap();
}

/// What the provider does not replace is kept.
#[tokio::test]
async fn a_bare_access_token_is_enough() {
    let (world, session) = signed_in().await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        for name in ["refresh_token", "id_token", "scope"] {
            tokens.as_object_mut().unwrap().remove(name);
        }
    }));
    let access = world.client.access_token_for(&session, ORDERS).await.unwrap();
    assert_eq!(access.tokens.scopes(), None);
    assert_eq!(access.session.refresh_token(), Some("refresh-1"));
    assert_eq!(access.session.id_token(), session.id_token());
}

/// The ID token that comes along is about the same person and about this access token.
#[tokio::test]
async fn the_id_token_that_comes_along_is_checked() {
    let (world, session) = signed_in().await;
    let fitting = half_hash(&aws_lc_rs::digest::SHA384, &access_token_for(ORDERS));
    world.claims(move |claims| claims["at_hash"] = json!(fitting));
    let access = checked(world.client.access_token_for(&session, ORDERS).await).unwrap();
    assert_eq!(access.session.claims().subject(), session.claims().subject());
    let error = checked(world.client.access_token_for(&session, STOCK).await).unwrap_err();
    assert!(matches!(error, Error::IdToken(IdTokenError::AccessTokenMismatch)));

    world.claims(|claims| claims["sub"] = json!("somebody-else"));
    let error = checked(world.client.access_token_for(&session, ORDERS).await).unwrap_err();
    assert!(matches!(error, Error::IdToken(IdTokenError::SubjectChanged)));
}

#[tokio::test]
async fn an_api_that_cannot_be_says_so() {
    let (world, session) = signed_in().await;
    let before = world.provider.requests("/oidc/token");
    for nonsense in ["", "orders", "https://orders.example/#x"] {
        let error = checked(world.client.access_token_for(&session, nonsense).await).unwrap_err();
        assert!(
            matches!(error, Error::Exchange(ExchangeError::Resource)),
            "{nonsense}"
        );
        assert_eq!(error.fault(), Fault::Application);
    }
    assert_eq!(world.provider.requests("/oidc/token"), before);

    let unasked = world
        .client
        .access_token_for(&session, "https://other.example")
        .await;
    let Error::Exchange(ExchangeError::Refused(refusal)) = checked(unasked).unwrap_err() else {
        panic!("a refusal is expected")
    };
    assert_eq!(refusal.code(), "invalid_target");

    let world = World::new();
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    let session = world.sign_in().await.unwrap();
    let error = checked(world.client.access_token_for(&session, ORDERS).await).unwrap_err();
    assert!(matches!(error, Error::Exchange(ExchangeError::NoRefreshToken)));
}
