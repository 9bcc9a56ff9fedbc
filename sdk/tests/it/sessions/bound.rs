//! A session is its client's own.

use std::sync::Arc;

use keyback::{Client, MemoryStore, Sessions, TokenStore};

use super::{SECRET, configured, rotating};
use crate::provider::{CLIENT_ID, ISSUER, REDIRECT_URI};

/// Two sites may have one secret and one store: who is signed in at one is nobody at the other.
#[tokio::test]
async fn another_client_or_issuer_opens_no_session_although_secret_and_store_are_the_same() {
    let (world, session) = rotating().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let own = configured(&world, |builder| builder.store(store.clone()));
    let id = own.begin(&session).await.unwrap().id().clone();
    for (issuer, client_id) in [
        ("https://other.example/oidc", CLIENT_ID),
        (ISSUER, "other-app"),
        // The same text, if one were only put behind the other.
        ("https://id.example/oidcm", "y-app"),
    ] {
        let client = Client::builder(issuer, client_id)
            .redirect_uri(REDIRECT_URI)
            .http(world.provider.clone())
            .clock(world.clock.clone())
            .build()
            .unwrap();
        let others = Sessions::builder(&client, SECRET).store(store.clone());
        let others = others.build().unwrap();
        assert!(others.find(&id).await.unwrap().is_none(), "{issuer} {client_id}");
        let theirs = others.begin(&session).await.unwrap();
        assert!(theirs.is_authenticated().await.unwrap());
        assert!(
            own.find(theirs.id()).await.unwrap().is_none(),
            "{issuer} {client_id}"
        );
    }
    assert!(own.find(&id).await.unwrap().is_some());
}
