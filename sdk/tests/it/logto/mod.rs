//! What a running Logto 1.42 answered, replayed: its metadata and keys as they were served, its claims and token response
//! under a key of ours.

mod account;
mod machine_token;
mod management;
mod one_time_tokens;
mod pages;
mod replay;
mod server;

use std::time::Duration;

use keyback::{Client, Error, IdTokenError, Provider};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, NOW, World};

const ISSUER: &str = "http://localhost:3001/oidc";

fn logto() -> (World, Client) {
    let world = World::new();
    let recorded_keys: Value = serde_json::from_str(include_str!("jwks.json")).unwrap();
    {
        let mut state = world.provider.lock();
        state.metadata = serde_json::from_str(include_str!("discovery.json")).unwrap();
        state
            .keys
            .extend(recorded_keys["keys"].as_array().unwrap().clone());
        state.cache_control = Some("no-cache, max-age=0, must-revalidate");
        state.tokens = Some(Box::new(|tokens| {
            tokens["scope"] = json!("openid profile email offline_access");
        }));
    }
    world.claims(|claims| {
        *claims = json!({
            "sub": "x6vsttuvuo4f", "name": "Alice Example", "preferred_username": "alice", "picture": null,
            "updated_at": 1_795_439_416_328_u64, "username": "alice", "created_at": 1_795_439_029_460_u64,
            "email": "alice@example.test", "email_verified": true, "nonce": claims["nonce"],
            "aud": CLIENT_ID, "exp": NOW + 3600, "iat": NOW, "iss": ISSUER,
        });
    });
    let client = Client::builder(ISSUER, CLIENT_ID)
        .client_secret("secret")
        .redirect_uri("http://localhost:9000/callback")
        .provider(Provider::Logto)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    (world, client)
}

#[tokio::test]
async fn a_reset_request_ends_in_a_session() {
    let (world, client) = logto();
    let begun = client
        .forgot_password()
        .scope("profile")
        .scope("offline_access")
        .start()
        .await
        .unwrap();
    assert!(begun.url.as_str().starts_with("http://127.0.0.1:3001/oidc/auth?"));
    assert!(begun.url.as_str().contains("first_screen=reset_password"));
    assert!(begun.url.as_str().contains("prompt=login+consent"));
    let callback = world.provider.answer(&begun.url);
    assert!(
        callback
            .as_str()
            .contains("iss=http%3A%2F%2Flocalhost%3A3001%2Foidc")
    );
    let session = client.finish(begun.pending, callback).await.unwrap();

    let claims = session.claims();
    assert_eq!(claims.subject(), "x6vsttuvuo4f");
    assert_eq!((claims.username(), claims.picture()), (Some("alice"), None));
    let updated = claims
        .updated_at()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(updated, Duration::from_millis(1_795_439_416_328));
    assert_eq!(session.tokens().scopes().map(<[String]>::len), Some(4));
}

/// Its key is found by its id, and a signature that is not its own fails on it.
#[tokio::test]
async fn the_recorded_key_is_understood() {
    let (world, client) = logto();
    world.forge(|signer, claims| {
        signer
            .renamed("Zssgpa3YA_zOv9k7YP2BrOdhi1MA7QUCzzmE8jgIOsA")
            .sign(&claims)
    });
    let begun = client.sign_in().start().await.unwrap();
    let callback = world.provider.answer(&begun.url);
    let error = client.finish(begun.pending, callback).await.unwrap_err();
    assert!(matches!(error, Error::IdToken(IdTokenError::BadSignature)));
}
