//! Refreshes that go wrong: nobody loses a refresh token by them, and nobody is signed out.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use keyback::{
    Algorithm, Client, Error, ExchangeError, IdTokenError, MemoryStore, Remedy, SessionError, Sessions,
    TokenStore,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{ORDERS, SECRET, STOCK, configured, rotating, session_error, signed_in, uses};
use crate::provider::{ACCESS_TOKEN, CLIENT_ID, ISSUER, REDIRECT_URI, Signer, access_token_for, checked};

const TOKEN: &str = "/oidc/token";

/// Who is cancelled while the provider answers loses nobody's refresh token: the request goes on, and the next finds what it brought.
#[tokio::test]
async fn a_cancelled_task_loses_no_refresh_token() {
    let (world, session) = rotating().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let process = || configured(&world, |builder| builder.store(store.clone()));
    let signed_in = process().begin(&session).await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    let patience = Duration::from_millis(20);
    let cancelled = tokio::time::timeout(patience, signed_in.access_token(Some(ORDERS), None)).await;
    assert!(cancelled.is_err());
    gate.add_permits(10);
    tokio::time::timeout(Duration::from_secs(5), async {
        while uses(&world) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("it goes on, although nobody asks for anything any more");
    let stock = signed_in.access_token(Some(STOCK), None).await.unwrap();
    assert_eq!(stock.as_str(), access_token_for(STOCK));
    // What the cancelled one brought is in the store, for another process too.
    let elsewhere = process().find(signed_in.id()).await.unwrap().unwrap();
    elsewhere.access_token(Some(ORDERS), None).await.unwrap();
    assert_eq!(uses(&world), 2);
}

/// A transport or a store that panics is told as an error, and the next call is not stopped by it.
#[tokio::test]
async fn a_refresh_that_panics_stops_no_other() {
    let (world, _, signed_in) = signed_in().await;
    world.provider.lock().gate = Some(Arc::new(Semaphore::new(0)));
    let gate = world.provider.lock().gate.clone().unwrap();
    gate.close();
    let error = checked(signed_in.access_token(Some(ORDERS), None).await).unwrap_err();
    assert_eq!(error.remedy(), Remedy::RetryLater);
    assert!(matches!(session_error(error), SessionError::Interrupted));
    world.provider.lock().gate = None;
    signed_in.access_token(Some(ORDERS), None).await.unwrap();
}

/// While one task fetches the next token, the others go on with the old one, and so do all when the provider is down.
#[tokio::test]
async fn an_early_refresh_makes_nobody_wait_and_nobody_fail() {
    let (world, _, signed_in) = signed_in().await;
    let gate = Arc::new(Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    world.clock.advance(Duration::from_secs(3600 - 10));
    let first = tokio::spawn({
        let signed_in = signed_in.clone();
        async move { signed_in.access_token(None, None).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let old = signed_in.access_token(None, None).await.unwrap();
    assert_eq!(old.as_str(), ACCESS_TOKEN);
    world.provider.lock().token_error = Some((StatusCode::SERVICE_UNAVAILABLE, json!({})));
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().as_str(), ACCESS_TOKEN);

    // For a moment nobody tries again.
    let asked = world.provider.requests(TOKEN);
    signed_in.access_token(None, None).await.unwrap();
    assert_eq!(world.provider.requests(TOKEN), asked);

    // What has expired can't serve.
    world.clock.advance(Duration::from_secs(10));
    gate.add_permits(10);
    let error = checked(signed_in.access_token(None, None).await).unwrap_err();
    assert_eq!(error.remedy(), Remedy::RetryLater);
    let SessionError::Refresh(cause) = session_error(error) else {
        panic!("the cause is kept")
    };
    assert!(matches!(
        &*cause,
        Error::Exchange(ExchangeError::Unavailable { status: 503 })
    ));

    // The session has not ended by it.
    world.provider.lock().token_error = None;
    signed_in.access_token(None, None).await.unwrap();
}

/// A provider that is down is asked once for everybody who waits.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_waits_is_told_of_one_failure() {
    let (world, _, signed_in) = signed_in().await;
    let gate = Arc::new(Semaphore::new(0));
    {
        let mut state = world.provider.lock();
        state.gate = Some(gate.clone());
        state.token_error = Some((StatusCode::BAD_GATEWAY, json!({})));
    }
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let signed_in = signed_in.clone();
            tokio::spawn(async move { signed_in.access_token(Some(ORDERS), None).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.add_permits(100);
    for task in tasks {
        let error = session_error(task.await.unwrap().unwrap_err());
        assert!(error.is_retryable());
    }
    assert_eq!(gate.available_permits(), 99);
}

/// The refresh token is used up, and the ID token that came for it can't be judged, since the keys can't be had: the next
/// refresh token is kept, and nothing else.
#[tokio::test]
async fn an_outage_of_the_keys_loses_no_refresh_token() {
    for has_restarted in [false, true] {
        let (world, session) = rotating().await;
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
        let mut sessions = configured(&world, |builder| builder.store(store.clone()));
        let id = sessions.begin(&session).await.unwrap().id().clone();
        {
            let mut state = world.provider.lock();
            state.signer = Signer::new(Algorithm::Es384, "key-2");
            state.keys = vec![state.signer.jwk()];
            state.keys_status = StatusCode::INTERNAL_SERVER_ERROR;
        }
        if has_restarted {
            // It knows no keys at all.
            let client = Client::builder(ISSUER, CLIENT_ID)
                .redirect_uri(REDIRECT_URI)
                .http(world.provider.clone())
                .clock(world.clock.clone());
            let builder = Sessions::builder(&client.build().unwrap(), SECRET).store(store.clone());
            sessions = builder.build().unwrap();
        }
        let signed_in = sessions.find(&id).await.unwrap().unwrap();
        let error = checked(signed_in.access_token(Some(ORDERS), None).await).unwrap_err();
        let SessionError::Refresh(cause) = session_error(error) else {
            panic!("the cause is kept")
        };
        assert!(matches!(
            (&*cause, has_restarted),
            (Error::IdToken(IdTokenError::UnknownKey), false) | (Error::Discovery(_), true)
        ));
        let kept = sessions.find(&id).await.unwrap().unwrap();
        assert_eq!(kept.id_token(), session.id_token());

        world.provider.lock().keys_status = StatusCode::OK;
        // Keys that could not be had are asked for again after a while.
        world.clock.advance(Duration::from_secs(600));
        let orders = signed_in.access_token(Some(ORDERS), None).await.unwrap();
        assert_eq!(orders.as_str(), access_token_for(ORDERS));
        assert_eq!(uses(&world), 2);
        assert!(!world.provider.lock().rotation.as_ref().unwrap().dead);
    }
}

/// The provider has new keys, and they can't be had: until the old token expires, nobody notices.
#[tokio::test]
async fn an_early_refresh_that_meets_an_unknown_key_leaves_the_old_token() {
    let (world, _, signed_in) = signed_in().await;
    {
        let mut state = world.provider.lock();
        state.signer = Signer::new(Algorithm::Es384, "key-2");
        state.keys_status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    world.clock.advance(Duration::from_secs(3600 - 10));
    let old = signed_in.access_token(None, None).await.unwrap();
    assert_eq!((old.as_str(), uses(&world)), (ACCESS_TOKEN, 1));
    // For a moment nobody tries again.
    signed_in.access_token(None, None).await.unwrap();
    assert_eq!(uses(&world), 1);

    // What has expired can't serve. Every refresh token was kept.
    world.clock.advance(Duration::from_secs(10));
    let error = checked(signed_in.access_token(None, None).await).unwrap_err();
    let cause = session_error(error);
    assert!(matches!(cause, SessionError::Refresh(cause) if cause.code() == "id_token.unknown_key"));
    assert!(!world.provider.lock().rotation.as_ref().unwrap().dead);
}
