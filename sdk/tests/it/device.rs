//! Sign-in on a device (RFC 8628). Time is the clock's: nobody waits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use keyback::{DeviceError, DevicePoll, Endpoint, EndpointError, Error, IdTokenError, SignInError};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, ISSUER, NOW, SUBJECT, World, checked};
use crate::seen::{Log, answer, serve};

pub(crate) fn begun() -> Value {
    json!({
        "device_code": "device-code-which-must-not-leak",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://id.example/device",
        "verification_uri_complete": "https://id.example/device?user_code=WDJB-MJHT",
        "expires_in": 600,
        "interval": 7,
    })
}

pub(crate) fn offering(world: &World, body: Value) -> Log {
    let member = Some("device_authorization_endpoint");
    serve(world, "/oidc/device", member, move |_, _| answer(200, &body, &[]))
}

/// A token response whose ID token was changed by `tamper`.
pub(crate) fn tokens(world: &World, tamper: impl Fn(&mut Value)) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT_ID, "sub": SUBJECT, "iat": NOW, "exp": NOW + 3600,
    });
    tamper(&mut claims);
    let id_token = world.provider.lock().signer.sign(&claims);
    json!({ "access_token": "a", "token_type": "Bearer", "refresh_token": "r", "id_token": id_token })
}

/// The token endpoint answers with these refusals in turn, then with tokens.
pub(crate) fn answering(world: &World, refusals: &'static [(u16, &'static str)], tokens: Value) -> Log {
    serve(world, "/oidc/token", None, move |index, _| -> Response<Bytes> {
        match refusals.get(index) {
            Some((status, code)) => answer(*status, &json!({ "error": code }), &[]),
            None => answer(200, &tokens, &[]),
        }
    })
}

fn seconds(poll: &DevicePoll) -> u64 {
    match poll {
        DevicePoll::Wait(pause) => pause.as_secs(),
        DevicePoll::SignedIn(_) => panic!("nobody has confirmed"),
    }
}

#[tokio::test]
async fn rfc8628_3_5_the_provider_is_never_asked_faster_than_it_allows() {
    let world = World::new();
    let asked = offering(&world, begun());
    let good = tokens(&world, |_| {});
    let polled = answering(
        &world,
        &[
            (400, "authorization_pending"),
            (400, "slow_down"),
            (400, "authorization_pending"),
        ],
        good,
    );
    let mut device = world
        .client
        .begin_on_device(["email", "offline_access", "email"])
        .await
        .unwrap();
    assert_eq!(asked.last().field("scope"), Some("openid email offline_access"));
    assert_eq!(asked.last().field("client_id"), Some(CLIENT_ID));
    assert_eq!(device.user_code(), "WDJB-MJHT");
    assert_eq!(device.verification_uri().as_str(), "https://id.example/device");
    assert!(device.verification_uri_complete().is_some());

    // Straight after the beginning nobody is asked, and a second too early neither.
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 7);
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 1);
    assert_eq!(polled.len(), 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 7);
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 7);
    assert_eq!(polled.len(), 1);
    // `slow_down` is for this and all that follow.
    world.clock.advance(Duration::from_secs(7));
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 12);
    world.clock.advance(Duration::from_secs(12));
    assert_eq!(seconds(&world.client.poll_device(&mut device).await.unwrap()), 12);
    assert_eq!(polled.len(), 3);
    world.clock.advance(Duration::from_secs(12));
    let DevicePoll::SignedIn(session) = world.client.poll_device(&mut device).await.unwrap() else {
        panic!("it was confirmed")
    };
    assert_eq!(session.claims().subject(), SUBJECT);
    assert_eq!(session.refresh_token(), Some("r"));
    let seen = polled.last();
    assert_eq!(
        seen.field("grant_type"),
        Some("urn:ietf:params:oauth:grant-type:device_code")
    );
    assert_eq!(seen.field("device_code"), Some("device-code-which-must-not-leak"));
    assert!(!format!("{device:?}").contains("must-not-leak"));
}

#[tokio::test]
async fn rfc8628_3_5_a_refusal_and_an_expired_code_end_it() {
    for (code, expected) in [
        ("access_denied", DeviceError::Denied),
        ("expired_token", DeviceError::Expired),
    ] {
        let world = World::new();
        offering(&world, begun());
        serve(&world, "/oidc/token", None, move |_, _| {
            answer(400, &json!({ "error": code }), &[])
        });
        let mut device = world.client.begin_on_device(["email"]).await.unwrap();
        world.clock.advance(Duration::from_secs(7));
        let error = checked(world.client.poll_device(&mut device).await).unwrap_err();
        assert!(
            matches!(error, Error::Device(error) if error == expected),
            "{error}"
        );
    }
    // The clock knows it too, and nobody need be asked.
    let world = World::new();
    offering(&world, begun());
    let polled = answering(&world, &[], json!({}));
    let mut device = world.client.begin_on_device(["email"]).await.unwrap();
    world.clock.advance(Duration::from_secs(600));
    let error = world.client.poll_device(&mut device).await.unwrap_err();
    assert!(matches!(error, Error::Device(DeviceError::Expired)), "{error}");
    assert_eq!(polled.len(), 0);
}

#[tokio::test]
async fn rfc8628_3_5_a_provider_that_fails_is_relieved() {
    let world = World::new();
    offering(&world, begun());
    let good = tokens(&world, |_| {});
    let polled = answering(&world, &[(503, "x"), (503, "x"), (503, "x"), (503, "x")], good);
    let mut device = world.client.begin_on_device(["email"]).await.unwrap();
    let mut intervals = Vec::new();
    for _ in 0..4 {
        world.clock.advance(device.interval());
        let error = world.client.poll_device(&mut device).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        intervals.push(device.interval().as_secs());
    }
    assert_eq!(intervals, [14, 28, 56, 60]);
    assert_eq!(polled.len(), 4);
}

/// The waiting is the application's; what may pass is tried again.
#[tokio::test]
async fn finishing_waits_as_it_is_told_and_ends_with_the_session() {
    let world = World::new();
    offering(&world, begun());
    let good = tokens(&world, |_| {});
    answering(
        &world,
        &[(400, "authorization_pending"), (503, "x"), (400, "slow_down")],
        good,
    );
    let device = world.client.begin_on_device(["email"]).await.unwrap();
    let waited = Arc::new(Mutex::new(Vec::new()));
    let session = world
        .client
        .finish_on_device(device, |pause| {
            waited.lock().unwrap().push(pause.as_secs());
            world.clock.advance(pause);
            std::future::ready(())
        })
        .await
        .unwrap();
    assert_eq!(session.claims().subject(), SUBJECT);
    assert_eq!(*waited.lock().unwrap(), [7, 7, 14, 19]);
}

#[tokio::test]
async fn the_id_token_of_a_device_passes_every_check_but_the_nonce() {
    type Tamper = fn(&mut Value);
    let cases: [(Tamper, &str); 5] = [
        (
            |claims| claims["iss"] = json!("https://evil.example"),
            "id_token.wrong_issuer",
        ),
        (
            |claims| claims["aud"] = json!("other-app"),
            "id_token.wrong_audience",
        ),
        (|claims| claims["exp"] = json!(NOW - 100), "id_token.expired"),
        (
            |claims| claims["at_hash"] = json!("AAAA"),
            "id_token.access_token_mismatch",
        ),
        // Somebody else's request had it: a token of a browser's sign-in is none of a device's.
        (|claims| claims["nonce"] = json!("n"), "id_token.nonce_mismatch"),
    ];
    for (tamper, code) in cases {
        let world = World::new();
        offering(&world, begun());
        answering(&world, &[], tokens(&world, tamper));
        let mut device = world.client.begin_on_device(["email"]).await.unwrap();
        world.clock.advance(Duration::from_secs(7));
        let error = checked(world.client.poll_device(&mut device).await).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(matches!(error, Error::IdToken(error) if error != IdTokenError::Malformed));
    }
}

#[tokio::test]
async fn rfc8628_3_2_an_answer_that_would_send_people_astray_is_refused() {
    for (member, value) in [
        ("verification_uri", json!("http://id.example/device")),
        ("verification_uri", json!("javascript:alert(1)")),
        (
            "verification_uri_complete",
            json!("https://id.example@evil.example/"),
        ),
        ("user_code", json!("")),
        ("user_code", json!("\u{1b}[2J")),
        ("device_code", json!("")),
        ("expires_in", json!(0)),
        ("expires_in", json!(null)),
    ] {
        let world = World::new();
        let mut body = begun();
        body[member] = value.clone();
        offering(&world, body);
        let error = checked(world.client.begin_on_device(["email"]).await).unwrap_err();
        assert!(
            matches!(error, Error::Endpoint(EndpointError::Malformed { .. })),
            "{member} {value}: {error}"
        );
    }
    let world = World::new();
    let error = world.client.begin_on_device(["email"]).await.unwrap_err();
    let endpoint = Endpoint::DeviceAuthorization;
    assert!(matches!(error, Error::Endpoint(EndpointError::NotOffered { endpoint: e }) if e == endpoint));
    let error = world.client.begin_on_device(["two words"]).await.unwrap_err();
    assert!(matches!(error, Error::SignIn(SignInError::Scope)), "{error}");
}
