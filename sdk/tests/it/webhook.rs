//! Deliveries of webhooks: those a running Logto 1.42 sent, those of the companion, and those of strangers (SR-60).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use keyback::http::{HeaderMap, HeaderName, HeaderValue};
use keyback::logto::webhook::{Delivery, Event, WebhookError, WebhookReceiver};
use keyback::{Clock, Remedy};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Of the instance that was recorded: nobody's any more.
const LOGTO_KEY: &str = "1w8dT8KUHgOikCWRnCxSjKl5h15z65Zs";
const KEY: &str = "a-signing-key-of-the-companion-for-tests";
pub(crate) const NEXT_KEY: &str = "the-signing-key-that-takes-its-place-now";
pub(crate) const NOW: u64 = 1_790_000_000;
/// When Logto was recorded, and when the reset below took place.
const RECORDED: u64 = 1_795_439_400;
const RESET_AT: u64 = 1_789_997_600;

struct At(SystemTime);

impl Clock for At {
    fn now(&self) -> SystemTime {
        self.0
    }
}

pub(crate) fn at(seconds: u64) -> Arc<dyn Clock> {
    Arc::new(At(UNIX_EPOCH + Duration::from_secs(seconds)))
}

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
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

fn hmac(key: &str, text: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex::encode(hmac::sign(&key, text))
}

/// `t.body` under a key.
fn timed(key: &str, time: &str, body: &[u8]) -> String {
    hmac(key, &[time.as_bytes(), b".", body].concat())
}

fn reset_body() -> Vec<u8> {
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
fn logtos(keys: &[&str], seconds: u64) -> WebhookReceiver {
    WebhookReceiver::logto(keys)
        .unwrap()
        .clock(at(seconds))
        .tolerance(Duration::from_secs(600))
}

fn recorded() -> Vec<(HeaderMap, Vec<u8>)> {
    include_str!("logto/webhooks.jsonl")
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let pairs = line["headers"].as_object().unwrap();
            let pairs = pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
            (headers(pairs), line["body"].as_str().unwrap().as_bytes().to_vec())
        })
        .collect()
}

#[test]
fn what_a_running_logto_sent_is_verified_and_typed() {
    let receiver = logtos(&[LOGTO_KEY], RECORDED);
    let (mut resets, mut updates) = (0, 0);
    for (headers, body) in recorded() {
        let delivery = receiver.verify(&headers, &body).unwrap();
        assert_eq!(delivery.hook_id(), Some("yb00uj7tgv0n9jy9jnwfe"));
        assert!(delivery.created_at().unwrap() > UNIX_EPOCH);
        assert_eq!((delivery.id(), delivery.sent_at()), (None, None));
        match delivery.event() {
            Event::PostResetPassword(reset) => {
                resets += 1;
                assert_eq!(delivery.name(), "PostResetPassword");
                assert_eq!(delivery.get("userId").unwrap(), reset.user.id.as_str());
                assert!(
                    reset
                        .user
                        .primary_email
                        .as_deref()
                        .unwrap()
                        .ends_with("@example.test")
                );
                assert_eq!(
                    reset.application.as_ref().unwrap().kind.as_deref(),
                    Some("Traditional")
                );
                assert_eq!(reset.user_ip.as_deref(), Some("127.0.0.1"));
                assert!(reset.session_id.is_some() && reset.user.updated_at.is_some());
            }
            Event::UserDataUpdated(update) => {
                updates += 1;
                assert_eq!(update.user.as_ref().unwrap().username.as_deref(), Some("alice"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((resets, updates), (3, 6));
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

/// Whoever repeats an old delivery leaves the header with the time away.
#[test]
fn sr60_logtos_signature_does_not_stand_in_for_the_companions() {
    let body = reset_body();
    let signature = hmac(KEY, &body);
    let timeless = headers([("logto-signature-sha-256", signature.as_str())]);
    assert_eq!(
        receiver().verify(&timeless, &body).unwrap_err(),
        WebhookError::Missing {
            header: "keyback-signature"
        }
    );
    logtos(&[KEY], RESET_AT).verify(&timeless, &body).unwrap();
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

#[test]
fn logtos_signature_is_64_hexadecimal_digits_of_one_header() {
    let (good, body) = recorded().remove(0);
    let receiver = logtos(&["another key", LOGTO_KEY], RECORDED);
    receiver.verify(&good, &body).unwrap();
    let signature = good["logto-signature-sha-256"].to_str().unwrap();
    let header = "logto-signature-sha-256";
    let with = |value: &str| receiver.verify(&headers([(header, value)]), &body).unwrap_err();
    for text in [
        "",
        &signature[..62],
        &signature[..63],
        &format!("{signature}00"),
        &format!("0x{}", &signature[2..]),
    ] {
        assert_eq!(with(text), WebhookError::Malformed { header }, "{text}");
    }
    assert_eq!(with(&"0".repeat(64)), WebhookError::BadSignature);
    assert_eq!(
        receiver.verify(&HeaderMap::new(), &body).unwrap_err(),
        WebhookError::Missing { header }
    );
    let mut twice = good.clone();
    twice.append(header, HeaderValue::from_static("x"));
    assert_eq!(
        receiver.verify(&twice, &body).unwrap_err(),
        WebhookError::Repeated { header }
    );
    let mut binary = HeaderMap::new();
    binary.insert(header, HeaderValue::from_bytes(&[0xff; 64]).unwrap());
    assert_eq!(
        receiver.verify(&binary, &body).unwrap_err(),
        WebhookError::Malformed { header }
    );
    let other_key = logtos(&["another key"], RECORDED);
    assert_eq!(
        other_key.verify(&good, &body).unwrap_err(),
        WebhookError::BadSignature
    );
}

/// JSON that means the same has another signature.
#[test]
fn the_bytes_count_and_not_what_they_mean() {
    let (headers, body) = recorded().remove(1);
    let parsed: Value = serde_json::from_slice(&body).unwrap();
    let rewritten = serde_json::to_vec_pretty(&parsed).unwrap();
    let receiver = logtos(&[LOGTO_KEY], RECORDED);
    assert_eq!(
        receiver.verify(&headers, &rewritten).unwrap_err(),
        WebhookError::BadSignature
    );
}

fn signed(body: &[u8]) -> Result<Delivery, WebhookError> {
    let signature = hmac(KEY, body);
    let headers = headers([("logto-signature-sha-256", signature.as_str())]);
    logtos(&[KEY], RESET_AT).verify(&headers, body)
}

#[test]
fn unknown_events_are_kept_and_unknown_shapes_refused() {
    let delivery = signed(
        br#"{"event":"Identifier.Lockout","createdAt":"2026-09-21T13:33:20.123Z","value":"x","nothing":null}"#,
    )
    .unwrap();
    assert!(matches!(delivery.event(), Event::Other));
    assert_eq!(delivery.name(), "Identifier.Lockout");
    assert_eq!(delivery.get("value").unwrap(), "x");
    assert_eq!((delivery.get("nothing"), delivery.hook_id()), (None, None));

    assert_eq!(signed(b"").unwrap_err(), WebhookError::NotJson);
    assert_eq!(signed(b"[]").unwrap_err(), WebhookError::NotJson);
    assert_eq!(signed(b"{}").unwrap_err(), WebhookError::NoEvent);
    for body in [
        &br#"{"event":"PostResetPassword"}"#[..],
        br#"{"event":"PostResetPassword","user":{}}"#,
        br#"{"event":"PostResetPassword","user":{"id":7}}"#,
    ] {
        let error = signed(body).unwrap_err();
        assert_eq!(
            error,
            WebhookError::UnknownShape {
                event: "PostResetPassword".to_owned()
            }
        );
        assert_eq!(error.status(), 400);
    }
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

#[test]
fn every_event_of_an_account_has_its_type() {
    let event = |name: &str, rest: &str| {
        let body = format!(r#"{{"event":"{name}","createdAt":"2026-09-21T13:33:20Z",{rest}}}"#);
        signed(body.as_bytes()).map(|delivery| delivery.event().clone())
    };
    let user = r#""user":{"id":"u1"}"#;
    assert!(matches!(event("PostSignIn", user), Ok(Event::PostSignIn(visit)) if visit.user.id == "u1"));
    assert!(matches!(event("PostRegister", user), Ok(Event::PostRegister(_))));
    let data = r#""data":{"id":"u1","isSuspended":true},"params":{"userId":"u1"}"#;
    assert!(matches!(event("User.Created", data), Ok(Event::UserCreated(_))));
    let Ok(Event::UserSuspensionUpdated(change)) = event("User.SuspensionStatus.Updated", data) else {
        panic!("a suspension")
    };
    assert!(change.user.as_ref().unwrap().is_suspended);
    // Of one that is gone, Logto gives the id alone.
    let Ok(Event::UserDeleted(change)) = event("User.Deleted", r#""data":null,"params":{"userId":"u2"}"#)
    else {
        panic!("a deletion")
    };
    assert_eq!((change.user_id(), change.user.is_none()), (Some("u2"), true));
    assert!(matches!(
        event("PostSignIn", r#""user":null"#),
        Err(WebhookError::UnknownShape { .. })
    ));
}

/// Logto signs no time of sending; that of the event is in the signed body.
#[test]
fn logtos_delivery_is_refused_when_it_is_old_or_tells_no_time() {
    let body = reset_body();
    let signature = hmac(KEY, &body);
    let headers = headers([("logto-signature-sha-256", signature.as_str())]);
    let later = |seconds: u64| {
        WebhookReceiver::logto([KEY])
            .unwrap()
            .clock(at(RESET_AT + seconds))
    };
    later(300).verify(&headers, &body).unwrap();
    let old = later(301).verify(&headers, &body).unwrap_err();
    assert!(matches!(old, WebhookError::TooOld { .. }), "{old}");
    let timeless = signed(br#"{"event":"x"}"#).unwrap_err();
    assert_eq!((timeless.status(), timeless.code()), (400, "webhook.no_time"));
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
