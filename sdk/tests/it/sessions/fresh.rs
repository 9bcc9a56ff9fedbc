//! Tokens kept fresh.

use std::sync::Arc;
use std::time::Duration;

use keyback::{Error, ExchangeError, Remedy, SessionError, SessionId};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    BILLS, ORDERS, STOCK, configured, number_tokens, rotating, session_error, sign_in, signed_in, uses,
    without_refresh_token,
};
use crate::provider::{ACCESS_TOKEN, World, access_token_for, checked};

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
async fn rfc9700_4_14_a_hundred_tasks_and_three_apis_are_three_requests_one_after_another() {
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
