//! Ends that hold: signed out here, at the provider, everywhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::StatusCode;
use keyback::{
    Error, LogoutMark, LogoutRegistry, MemoryLogouts, SessionError, SignOutError, StoreError, StoreFuture,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::form_urlencoded;

use super::{ORDERS, STOCK, configured, session_error, sessions, signed_in};
use crate::provider::{CLIENT_ID, ISSUER, SUBJECT, World, checked};

const GOODBYE: &str = "https://app.example/signed-out";

/// Clear, then the redirect; the revocation waits for nobody and nobody for it.
#[tokio::test]
async fn sign_out_ends_the_session_here_before_anything_else() {
    let (world, sessions, signed_in) = signed_in().await;
    let (id, id_token) = (signed_in.id().clone(), signed_in.id_token().to_owned());
    let out = signed_in.sign_out(GOODBYE).await.unwrap();
    assert!(sessions.find(&id).await.unwrap().is_none());
    assert!(world.provider.lock().revocations.is_empty());

    let sent: HashMap<String, String> = out.url.unwrap().query_pairs().into_owned().collect();
    assert_eq!(sent["id_token_hint"], id_token);
    assert_eq!(sent["post_logout_redirect_uri"], GOODBYE);

    assert!(!format!("{:?}", out.revocation).contains("refresh-1"));
    out.revocation.run().await.unwrap();
    let revoked = world.provider.lock().revocations.clone();
    assert_eq!(revoked[0].field("token"), Some("refresh-1"));
    assert_eq!(revoked[0].field("client_id"), Some(CLIENT_ID));
}

#[tokio::test]
async fn sign_out_works_while_the_provider_is_down() {
    let (world, sessions, signed_in) = signed_in().await;
    let id = signed_in.id().clone();
    world.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    world.provider.lock().down = true;
    let out = signed_in.sign_out(GOODBYE).await.unwrap();
    assert!(sessions.find(&id).await.unwrap().is_none());
    assert!(checked(out.revocation.run().await).unwrap_err().is_retryable());
}

#[tokio::test]
async fn sign_out_to_nowhere_ends_nothing() {
    let (_, sessions, signed_in) = signed_in().await;
    let id = signed_in.id().clone();
    let error = checked(signed_in.sign_out("javascript:alert(1)").await).unwrap_err();
    assert!(matches!(error, Error::SignOut(SignOutError::RedirectUri)));
    assert!(sessions.find(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_refresh_in_flight_brings_no_session_back() {
    let (world, sessions, signed_in) = signed_in().await;
    let gate = Arc::new(Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    let refresh = tokio::spawn({
        let signed_in = signed_in.clone();
        async move { signed_in.access_token(Some(ORDERS), None).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let id = signed_in.id().clone();
    let out = signed_in.sign_out(GOODBYE).await.unwrap();
    gate.add_permits(5);
    let error = session_error(refresh.await.unwrap().unwrap_err());
    assert!(matches!(error, SessionError::Ended));
    assert!(sessions.find(&id).await.unwrap().is_none());
    // What it got is of no use to anybody: it is given back.
    let revoked = world.provider.lock().revocations.clone();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].field("token"), Some("refresh-2"));
    drop(out);
}

fn logout_token(world: &World, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT_ID, "iat": world.clock.seconds(), "exp": world.clock.seconds() + 120,
        "jti": format!("jti-{}", world.clock.seconds()), "sub": SUBJECT,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    change(&mut claims);
    let token = world.provider.lock().signer.sign(&claims);
    form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish()
        .into_bytes()
}

/// Back-Channel Logout 2.6 and 2.7: the one session that is named, and at once.
#[tokio::test]
async fn the_provider_ends_one_session_by_its_sid() {
    let world = World::new();
    let sessions = sessions(&world);
    let mut ids = HashMap::new();
    for sid in ["laptop", "phone"] {
        world.claims(move |claims| claims["sid"] = json!(sid));
        let session = world.sign_in().await.unwrap();
        ids.insert(sid, sessions.begin(&session).await.unwrap());
    }
    let form = logout_token(&world, |claims| claims["sid"] = json!("phone"));
    let answer = sessions.back_channel_logout(&form).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!ids["phone"].is_authenticated().await.unwrap());
    assert!(ids["laptop"].is_authenticated().await.unwrap());

    let again = sessions.back_channel_logout(&form).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.error.unwrap().code(), "logout_token.replayed");
}

/// An ID token of a refresh may be without `sid` and `nonce`, or have another `sid`: the session is the same.
#[tokio::test]
async fn a_session_is_known_by_its_first_sid_after_a_refresh() {
    for next in [None, Some("tablet")] {
        let world = World::new();
        world.claims(|claims| claims["sid"] = json!("phone"));
        let session = super::sign_in(&world).await;
        let sessions = sessions(&world);
        let signed_in = sessions.begin(&session).await.unwrap();
        world.claims(move |claims| {
            claims.as_object_mut().unwrap().remove("nonce");
            claims["sid"] = json!(next);
        });
        let sid = Some(next.unwrap_or("phone"));
        let refreshed = world.client.refresh(&session).await.unwrap();
        assert_eq!(refreshed.claims().session_id(), sid);
        signed_in.access_token(Some(ORDERS), None).await.unwrap();
        let found = sessions.find(signed_in.id()).await.unwrap().unwrap();
        assert_eq!(found.claims().session_id(), sid);

        world.claims(|claims| claims["nonce"] = json!("another"));
        let error = checked(signed_in.access_token(Some(STOCK), None).await).unwrap_err();
        assert!(matches!(
            session_error(error),
            SessionError::Refresh(cause) if cause.code() == "id_token.nonce_mismatch"
        ));

        let form = logout_token(&world, |claims| claims["sid"] = json!("phone"));
        assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
        assert!(!signed_in.is_authenticated().await.unwrap());
    }
}

/// The first end that it is told waits for ever, the second fails.
#[derive(Default)]
struct Stumbling {
    told: AtomicUsize,
    logouts: MemoryLogouts,
}

impl LogoutRegistry for Stumbling {
    fn end<'a>(&'a self, mark: &'a LogoutMark, at: SystemTime, until: SystemTime) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            match self.told.fetch_add(1, Ordering::Relaxed) {
                0 => std::future::pending().await,
                1 => Err(StoreError::failed(std::io::Error::other("no database"))),
                _ => self.logouts.end(mark, at, until).await,
            }
        })
    }

    fn ends<'a>(&'a self, marks: &'a [LogoutMark]) -> StoreFuture<'a, Vec<Option<SystemTime>>> {
        self.logouts.ends(marks)
    }
}

/// Back-Channel Logout 2.8: a logout that could not be done, or that was given up, is done when the provider sends it again.
#[tokio::test]
async fn a_logout_that_was_given_up_is_not_taken_for_a_repeat() {
    let world = World::new();
    let sessions = configured(&world, |builder| {
        builder.logout_registry(Arc::new(Stumbling::default()))
    });
    let signed_in = sessions.begin(&world.sign_in().await.unwrap()).await.unwrap();
    let form = logout_token(&world, |_| {});
    let patience = Duration::from_millis(20);
    let given_up = tokio::time::timeout(patience, sessions.back_channel_logout(&form)).await;
    assert!(given_up.is_err());
    let failed = sessions.back_channel_logout(&form).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(signed_in.is_authenticated().await.unwrap());
    assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
    assert!(!signed_in.is_authenticated().await.unwrap());
}

/// The time of a logout token is in whole seconds.
#[tokio::test]
async fn a_session_that_began_in_the_second_of_a_logout_ends_by_it() {
    let (world, sessions, signed_in) = signed_in().await;
    let form = logout_token(&world, |_| {});
    assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
    assert!(!signed_in.is_authenticated().await.unwrap());
    world.clock.advance(Duration::from_secs(1));
    let back = sessions.begin(&world.sign_in().await.unwrap()).await.unwrap();
    assert!(back.is_authenticated().await.unwrap());
}

/// "Signed out everywhere" after a reset, and a sign-in afterwards is another session.
#[tokio::test]
async fn bcl_2_7_the_provider_ends_all_sessions_of_a_person() {
    let world = World::new();
    let sessions = sessions(&world);
    let [one, other] = [world.sign_in().await, world.sign_in().await].map(Result::unwrap);
    let one = sessions.begin(&one).await.unwrap();
    let other = sessions.begin(&other).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let form = logout_token(&world, |_| {});
    assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
    for signed_in in [one, other] {
        assert!(!signed_in.is_authenticated().await.unwrap());
        let error = session_error(signed_in.access_token(None, None).await.unwrap_err());
        assert!(matches!(error, SessionError::Ended));
    }

    world.clock.advance(Duration::from_secs(1));
    let session = world.sign_in().await.unwrap();
    let back = sessions.begin(&session).await.unwrap();
    assert!(back.is_authenticated().await.unwrap());
    sessions.end_all_of(SUBJECT).await.unwrap();
    assert!(!back.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn a_refreshed_session_ends_as_well() {
    let (world, sessions, signed_in) = signed_in().await;
    world.clock.advance(Duration::from_secs(10));
    let form = logout_token(&world, |_| {});
    world.clock.advance(Duration::from_secs(5));
    // Its ID token is newer than the logout, its sign-in is not.
    signed_in.access_token(Some(ORDERS), None).await.unwrap();
    assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
    assert!(!signed_in.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn what_is_no_logout_token_ends_nothing() {
    let (world, sessions, signed_in) = signed_in().await;
    let foreign = logout_token(&world, |claims| claims["aud"] = json!("another"));
    let twice = [logout_token(&world, |_| {}), b"&logout_token=x".to_vec()].concat();
    for form in [
        b"".to_vec(),
        b"logout_token=".to_vec(),
        b"token=x".to_vec(),
        foreign,
        twice,
    ] {
        let answer = sessions.back_channel_logout(&form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        checked::<()>(Err(answer.error.unwrap())).unwrap_err();
    }
    assert!(signed_in.is_authenticated().await.unwrap());

    // While the keys can't be had, the provider may try again.
    let world = World::new();
    let sessions = super::sessions(&world);
    let form = logout_token(&world, |_| {});
    world.provider.lock().down = true;
    let answer = sessions.back_channel_logout(&form).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    world.provider.lock().down = false;
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(sessions.back_channel_logout(&form).await.status, StatusCode::OK);
}

/// A session ends some day, however often it is refreshed.
#[tokio::test]
async fn a_session_lasts_no_longer_than_it_may() {
    let (world, session) = super::rotating().await;
    let sessions = configured(&world, |builder| builder.lifetime(Duration::from_secs(7200)));
    let signed_in = sessions.begin(&session).await.unwrap();
    world.clock.advance(Duration::from_secs(7000));
    signed_in.access_token(None, None).await.unwrap();
    world.clock.advance(Duration::from_secs(200));
    assert!(sessions.find(signed_in.id()).await.unwrap().is_none());
}
