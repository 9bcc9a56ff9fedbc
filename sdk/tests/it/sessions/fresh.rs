//! Tokens kept fresh.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use keyback::{
    Algorithm, Client, Error, ExchangeError, IdTokenError, MemoryStore, Remedy, SessionError, SessionId,
    Sessions, TokenStore,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    BILLS, ORDERS, SECRET, STOCK, configured, number_tokens, rotating, session_error, sign_in, signed_in,
    uses, without_refresh_token,
};
use crate::provider::{
    ACCESS_TOKEN, CLIENT_ID, ISSUER, REDIRECT_URI, Signer, World, access_token_for, checked,
};

const TOKEN: &str = "/oidc/token";

#[tokio::test]
async fn access_tokens_are_kept_by_api_and_organization() {
    let (world, _, signed_in) = signed_in().await;
    let before = world.provider.requests(TOKEN);
    for _ in 0..3 {
        let own = signed_in.access_token(None, None).await.unwrap();
        assert_eq!(own.as_str(), ACCESS_TOKEN);
        let orders = signed_in.access_token(Some(ORDERS), None).await.unwrap();
        assert_eq!(orders.as_str(), access_token_for(ORDERS));
        assert_eq!(
            orders.authorization(),
            format!("Bearer {}", access_token_for(ORDERS))
        );
        let org = signed_in.organization_token("org-1").await.unwrap();
        assert_eq!((org.resource(), org.organization()), (None, Some("org-1")));
        assert_eq!(org.as_str(), access_token_for("org-1"));
        let both = signed_in.access_token(Some(STOCK), Some("org-1")).await.unwrap();
        assert_eq!(both.as_str(), access_token_for(STOCK));
    }
    // The first was the sign-in's own; three were fetched, each once.
    assert_eq!(world.provider.requests(TOKEN), before + 3);
    let last = world.provider.lock().token_request.clone().unwrap();
    assert_eq!(last.field("organization_id"), Some("org-1"));
    assert_eq!(last.all("resource"), [STOCK]);
}

/// The refresh token is the session's, so that its requests stand in one line, whatever they ask for.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tasks_and_three_apis_are_three_requests_one_after_another() {
    let (world, _, signed_in) = signed_in().await;
    let gate = Arc::new(Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let signed_in = signed_in.clone();
            let api = [ORDERS, STOCK, BILLS][number % 3];
            tokio::spawn(async move { (api, signed_in.access_token(Some(api), None).await) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // All of them stand there, and one request is at the provider.
    assert_eq!(world.provider.requests(TOKEN), 1, "the code's own");
    gate.add_permits(100);
    for task in tasks {
        let (api, token) = task.await.unwrap();
        assert_eq!(token.unwrap().as_str(), access_token_for(api));
    }
    assert_eq!(uses(&world), 3);
    assert!(!world.provider.lock().rotation.as_ref().unwrap().dead);
    // What the gate has left says how many came.
    assert_eq!(gate.available_permits(), 97);
}

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

#[tokio::test]
async fn a_token_is_replaced_a_little_before_it_expires() {
    let (world, session) = rotating().await;
    number_tokens(&world);
    let sessions = configured(&world, |builder| builder.early(Duration::from_secs(60)));
    let signed_in = sessions.begin(&session).await.unwrap();
    world.clock.advance(Duration::from_secs(3600 - 61));
    assert_eq!(
        signed_in.access_token(None, None).await.unwrap().as_str(),
        ACCESS_TOKEN
    );
    // Somewhere between one minute and half of it.
    world.clock.advance(Duration::from_secs(32));
    assert_eq!(
        signed_in.access_token(None, None).await.unwrap().as_str(),
        format!("{ACCESS_TOKEN}-1")
    );
    assert_eq!(uses(&world), 1);
}

/// Not all sessions of a busy hour refresh in the same second.
#[tokio::test]
async fn the_moment_differs_between_sessions() {
    let (world, session) = rotating().await;
    let sessions = configured(&world, |builder| builder.early(Duration::from_secs(600)));
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(sessions.begin(&session).await.unwrap());
    }
    world.clock.advance(Duration::from_secs(3600 - 450));
    let before = uses(&world);
    let mut due = 0;
    for signed_in in all {
        // They share one refresh token here, so that only the first due one is answered; the others end by it.
        due += usize::from(signed_in.access_token(None, None).await.is_err());
    }
    assert_eq!(uses(&world), before + 1);
    assert!((10..50).contains(&due), "{due} of 60 were due at the same moment");
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
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let signed_in = signed_in.clone();
            tokio::spawn(async move { signed_in.access_token(Some(ORDERS), None).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.add_permits(20);
    for task in tasks {
        let error = session_error(task.await.unwrap().unwrap_err());
        assert!(error.is_retryable());
    }
    assert_eq!(gate.available_permits(), 19);
}

/// Another process has refreshed first: its tokens are taken, and nobody is signed out.
#[tokio::test]
async fn the_loser_of_a_race_between_processes_gets_the_winners_tokens() {
    let (world, session) = rotating().await;
    number_tokens(&world);
    let store: Arc<dyn keyback::TokenStore> = Arc::new(keyback::MemoryStore::new());
    let process = || configured(&world, |builder| builder.store(store.clone()));
    let (one, other) = (process(), process());
    let id = one.begin(&session).await.unwrap().id().clone();
    let [one, other] = [&one, &other].map(|sessions| sessions.find(&id));
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());

    let gate = Arc::new(Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    let ask = |signed_in: &keyback::SignedIn| {
        let signed_in = signed_in.clone();
        tokio::spawn(async move { signed_in.access_token(Some(ORDERS), None).await })
    };
    // Both have read the same refresh token. The first use is answered, the second refused.
    let (first, second) = (ask(&one), ask(&other));
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.add_permits(1);
    let winner = tokio::select! {
        winner = first => { gate.add_permits(1); (winner, tokio::time::timeout(Duration::from_secs(5), async { ask(&other).await }).await) }
        winner = second => { gate.add_permits(1); (winner, tokio::time::timeout(Duration::from_secs(5), async { ask(&one).await }).await) }
    };
    let (won, lost) = winner;
    let (won, lost) = (won.unwrap().unwrap(), lost.unwrap().unwrap().unwrap());
    assert_eq!(won.as_str(), lost.as_str());
    assert!(one.is_authenticated().await.unwrap() && other.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn invalid_grant_ends_the_session_with_its_own_error() {
    let (world, sessions, signed_in) = signed_in().await;
    world.provider.lock().rotation.as_mut().unwrap().dead = true;
    let error = checked(signed_in.access_token(Some(ORDERS), None).await).unwrap_err();
    assert_eq!(error.remedy(), Remedy::SignInAgain);
    assert!(matches!(session_error(error), SessionError::EndedByProvider));
    assert!(sessions.find(signed_in.id()).await.unwrap().is_none());
    let error = signed_in.access_token(None, None).await.unwrap_err();
    assert!(matches!(session_error(error), SessionError::Ended));
}

/// Logto's Go SDK erases it.
#[tokio::test]
async fn a_refresh_token_that_is_not_replaced_is_kept() {
    let world = World::new();
    let session = sign_in(&world).await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    let signed_in = super::sessions(&world).begin(&session).await.unwrap();
    for api in [ORDERS, STOCK] {
        signed_in.access_token(Some(api), None).await.unwrap();
        let request = world.provider.lock().token_request.clone().unwrap();
        assert_eq!(request.field("refresh_token"), Some("refresh-1"));
    }
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

/// What comes with an ID token that was judged is worth as much as it.
#[tokio::test]
async fn a_refresh_token_that_comes_with_somebody_elses_id_token_is_not_kept() {
    let (world, _, signed_in) = signed_in().await;
    world.claims(|claims| claims["sub"] = json!("somebody else"));
    for asked in [1, 2] {
        checked(signed_in.access_token(Some(ORDERS), None).await).unwrap_err();
        let request = world.provider.lock().token_request.clone().unwrap();
        assert_eq!(request.field("refresh_token"), Some("refresh-1"), "{asked}");
    }
}

#[tokio::test]
async fn without_a_refresh_token_nothing_can_be_fetched() {
    let (world, sessions, signed_in) = without_refresh_token().await;
    signed_in.access_token(None, None).await.unwrap();
    let error = checked(signed_in.access_token(Some(ORDERS), None).await).unwrap_err();
    assert!(matches!(session_error(error), SessionError::NoRefreshToken));

    // And when the access token expires, nobody is signed in any more.
    assert!(signed_in.is_authenticated().await.unwrap());
    world.clock.advance(Duration::from_secs(3600));
    assert!(!signed_in.is_authenticated().await.unwrap());
    assert!(sessions.find(signed_in.id()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_api_that_cannot_be_is_refused_without_a_request() {
    let (world, _, signed_in) = signed_in().await;
    let asked = world.provider.requests(TOKEN);
    let error = checked(signed_in.access_token(Some("orders"), None).await).unwrap_err();
    assert!(matches!(error, Error::Exchange(ExchangeError::Resource)));
    assert_eq!(world.provider.requests(TOKEN), asked);

    let unasked = signed_in.access_token(Some("https://other.example"), None).await;
    assert!(matches!(
        session_error(checked(unasked).unwrap_err()),
        SessionError::Refresh(cause) if cause.code() == "exchange.refused"
    ));
    assert!(signed_in.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn an_id_that_nobody_was_given_finds_nobody() {
    let (_, sessions, _) = signed_in().await;
    let stranger = SessionId::parse(&"A".repeat(43)).unwrap();
    assert!(sessions.find(&stranger).await.unwrap().is_none());
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let (_, sessions, signed_in) = signed_in().await;
    let token = signed_in.access_token(None, None).await.unwrap();
    let printed = format!("{sessions:?} {signed_in:?} {token:?} {:?}", signed_in.id());
    for secret in [
        ACCESS_TOKEN,
        "refresh-1",
        signed_in.id_token(),
        signed_in.id().as_str(),
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
