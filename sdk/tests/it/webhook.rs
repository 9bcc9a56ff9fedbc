//! Deliveries of webhooks: those of the companion, and those of strangers (SR-60).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use keyback::http::{HeaderMap, HeaderName, HeaderValue};
use keyback::logto::webhook::{Delivery, Event, WebhookError, WebhookReceiver};
use keyback::{Clock, Remedy};
use proptest::prelude::*;
use serde_json::json;

pub(crate) const KEY: &str = "a-signing-key-of-the-companion-for-tests";
pub(crate) const NEXT_KEY: &str = "the-signing-key-that-takes-its-place-now";
pub(crate) const NOW: u64 = 1_790_000_000;
/// When the reset below took place.
pub(crate) const RESET_AT: u64 = 1_789_997_600;

struct At(SystemTime);

impl Clock for At {
    fn now(&self) -> SystemTime {
        self.0
    }
}

pub(crate) fn at(seconds: u64) -> Arc<dyn Clock> {
    Arc::new(At(UNIX_EPOCH + Duration::from_secs(seconds)))
}

pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    pairs
        .into_iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

pub(crate) fn hmac(key: &str, text: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex::encode(hmac::sign(&key, text))
}

/// `t.body` under a key.
fn timed(key: &str, time: &str, body: &[u8]) -> String {
    hmac(key, &[time.as_bytes(), b".", body].concat())
}

pub(crate) fn reset_body() -> Vec<u8> {
    let body = json!({
        "event": "PostResetPassword", "interactionEvent": "ForgotPassword", "hookId": "hook-1",
        "createdAt": "2026-09-21T13:33:20.123Z", "userId": "x6vsttvuoy4f",
        "user": { "id": "x6vsttvuoy4f", "primaryEmail": "ada@example.com", "isSuspended": false },
    });
    serde_json::to_vec(&body).unwrap()
}

/// A delivery of the companion as it should be.
pub(crate) fn delivery() -> (HeaderMap, Vec<u8>) {
    let body = reset_body();
    let signature = format!("t={NOW},v1={}", timed(KEY, &NOW.to_string(), &body));
    (
        headers([
            ("keyback-signature", signature.as_str()),
            ("keyback-delivery", "d-1"),
        ]),
        body,
    )
}

pub(crate) fn receiver() -> WebhookReceiver {
    WebhookReceiver::keyback([KEY]).unwrap().clock(at(NOW))
}

fn with_signature(signature: &str) -> Result<Delivery, WebhookError> {
    receiver().verify(&headers([("keyback-signature", signature)]), &reset_body())
}

/// A receiver of Logto's at a time. The recorded deliveries are within minutes of each other.
pub(crate) fn logtos(keys: &[&str], seconds: u64) -> WebhookReceiver {
    WebhookReceiver::logto(keys)
        .unwrap()
        .clock(at(seconds))
        .tolerance(Duration::from_secs(600))
}

#[test]
fn sr60_the_companions_delivery_is_verified_over_time_and_body() {
    let (headers, body) = delivery();
    let delivery = receiver().verify(&headers, &body).unwrap();
    assert_eq!(delivery.id(), Some("d-1"));
    assert_eq!(delivery.sent_at(), Some(UNIX_EPOCH + Duration::from_secs(NOW)));
    assert_eq!(
        delivery.created_at(),
        Some(UNIX_EPOCH + Duration::from_millis(1_789_997_600_123))
    );
    let Event::PostResetPassword(reset) = delivery.event() else {
        panic!("{delivery:?}")
    };
    assert_eq!(reset.user.id, "x6vsttvuoy4f");
    assert_eq!(reset.user.last_sign_in_at, None);
}

#[test]
fn every_flipped_bit_of_body_or_signature_is_seen() {
    let (good, body) = delivery();
    for (index, bit) in (0..body.len()).flat_map(|index| (0..8).map(move |bit| (index, bit))) {
        let mut forged = body.clone();
        forged[index] ^= 1 << bit;
        assert_eq!(
            receiver().verify(&good, &forged).unwrap_err(),
            WebhookError::BadSignature
        );
    }
    let signature = timed(KEY, &NOW.to_string(), &body);
    for index in 0..signature.len() {
        let mut forged = signature.clone().into_bytes();
        forged[index] = if forged[index] == b'0' { b'1' } else { b'0' };
        let forged = format!("t={NOW},v1={}", String::from_utf8(forged).unwrap());
        assert_eq!(with_signature(&forged).unwrap_err(), WebhookError::BadSignature);
    }
}

#[test]
fn a_signature_in_another_form_is_refused() {
    let good = timed(KEY, &NOW.to_string(), &reset_body());
    let malformed = WebhookError::Malformed {
        header: "keyback-signature",
    };
    for signature in [
        String::new(),
        good.clone(),
        format!("v1={good}"),
        format!("t={NOW}"),
        format!("t=,v1={good}"),
        format!("t={NOW},v1="),
        format!("t={NOW},v1={}", &good[..63]),
        format!("t={NOW},v1={}", &good[..62]),
        format!("t={NOW},v1={good}00"),
        format!("t={NOW},v1={}g", &good[..63]),
        format!("t={NOW},t={NOW},v1={good}"),
        format!("t=-{NOW},v1={good}"),
        format!("t=+{NOW},v1={good}"),
        format!("t={NOW}.5,v1={good}"),
        format!("t={NOW};v1={good}"),
        format!("t={NOW}{}", format!(",v1={good}").repeat(9)),
    ] {
        assert_eq!(with_signature(&signature).unwrap_err(), malformed, "{signature}");
    }
    // Parts of later versions are passed over, and so is the case of the digits.
    with_signature(&format!("t={NOW}, v1={}, v2=x", good.to_uppercase())).unwrap();
    // A signed time that is none: no panic, and no belief.
    let huge = "99999999999999999999999999";
    let signed = timed(KEY, huge, &reset_body());
    assert_eq!(
        with_signature(&format!("t={huge},v1={signed}")).unwrap_err(),
        malformed
    );
}

#[test]
fn sr60_a_replay_is_refused_after_five_minutes_and_its_time_can_not_be_changed() {
    let (headers_then, body) = delivery();
    let later = |seconds: u64| WebhookReceiver::keyback([KEY]).unwrap().clock(at(seconds));
    later(NOW + 300).verify(&headers_then, &body).unwrap();
    let replayed = later(NOW + 301).verify(&headers_then, &body).unwrap_err();
    assert_eq!(
        replayed,
        WebhookError::TooOld {
            age: Duration::from_secs(301)
        }
    );
    assert_eq!((replayed.status(), replayed.remedy()), (401, Remedy::CheckClock));
    later(NOW - 300).verify(&headers_then, &body).unwrap();
    let early = later(NOW - 301).verify(&headers_then, &body).unwrap_err();
    assert_eq!(
        early,
        WebhookError::FromTheFuture {
            ahead: Duration::from_secs(301)
        }
    );

    let fresh = format!("t={},v1={}", NOW + 301, timed(KEY, &NOW.to_string(), &body));
    let forged = later(NOW + 301).verify(&headers([("keyback-signature", fresh.as_str())]), &body);
    assert_eq!(forged.unwrap_err(), WebhookError::BadSignature);
    later(NOW + 3_000)
        .tolerance(Duration::from_secs(3_600))
        .verify(&headers_then, &body)
        .unwrap();
}

#[test]
fn sr60_two_keys_live_while_one_takes_the_others_place() {
    let body = reset_body();
    let time = NOW.to_string();
    let [old, next] = [KEY, NEXT_KEY].map(|key| timed(key, &time, &body));
    let by_both = headers([(
        "keyback-signature",
        format!("t={NOW},v1={next},v1={old}").as_str(),
    )]);
    let by_next = headers([("keyback-signature", format!("t={NOW},v1={next}").as_str())]);
    let with = |keys: &[&str]| WebhookReceiver::keyback(keys).unwrap().clock(at(NOW));
    // The sender signs with both: receivers that know either accept.
    for keys in [&[KEY][..], &[NEXT_KEY], &[KEY, NEXT_KEY]] {
        with(keys).verify(&by_both, &body).unwrap();
    }
    // The sender signs with the next alone: receivers that accept both follow.
    with(&[KEY, NEXT_KEY]).verify(&by_next, &body).unwrap();
    assert_eq!(
        with(&[KEY]).verify(&by_next, &body).unwrap_err(),
        WebhookError::BadSignature
    );
}

pub(crate) fn signed(body: &[u8]) -> Result<Delivery, WebhookError> {
    let signature = hmac(KEY, body);
    let headers = headers([("logto-signature-sha-256", signature.as_str())]);
    logtos(&[KEY], RESET_AT).verify(&headers, body)
}

#[test]
fn tries_of_one_event_have_one_fingerprint() {
    let body = reset_body();
    let print = |seconds: u64, id: &str| {
        let signature = format!("t={seconds},v1={}", timed(KEY, &seconds.to_string(), &body));
        let headers = headers([
            ("keyback-signature", signature.as_str()),
            ("keyback-delivery", id),
        ]);
        let delivery = receiver().verify(&headers, &body).unwrap();
        delivery.fingerprint().to_owned()
    };
    assert_eq!(print(NOW, "d-1"), print(NOW + 60, "invented"));
    assert_ne!(
        print(NOW, "d-1"),
        signed(br#"{"event":"x","createdAt":"2026-09-21T13:33:20Z"}"#)
            .unwrap()
            .fingerprint()
    );
}

#[test]
fn nothing_is_received_without_a_key() {
    assert_eq!(
        WebhookReceiver::keyback([""; 0]).unwrap_err(),
        WebhookError::NoKey
    );
    assert_eq!(
        WebhookReceiver::logto([KEY, ""]).unwrap_err(),
        WebhookError::NoKey
    );
    assert_eq!(WebhookError::NoKey.status(), 500);
}

#[test]
fn neither_keys_nor_personal_data_are_printed() {
    let (headers, body) = delivery();
    let receiver = receiver();
    let printed = format!("{receiver:?} {:?}", receiver.verify(&headers, &body).unwrap());
    assert!(!printed.contains(KEY) && !printed.contains("ada@"), "{printed}");
    assert!(printed.contains("x6vsttvuoy4f"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_strangers_delivery_is_refused_and_never_a_panic(
        signature in "(t=[0-9]{0,24},?)?(v1=[0-9a-f]{60,66},?){0,3}[ -~]{0,12}",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let headers = headers([("keyback-signature", signature.as_str()), ("logto-signature-sha-256", signature.as_str())]);
        prop_assert!(receiver().verify(&headers, &body).is_err());
        prop_assert!(WebhookReceiver::logto([KEY]).unwrap().verify(&headers, &body).is_err());
    }
}
