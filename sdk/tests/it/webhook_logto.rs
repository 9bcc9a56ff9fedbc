//! What Logto delivers: as a running Logto 1.42 did, and as it should not (SR-60).

use std::time::UNIX_EPOCH;

use keyback::http::{HeaderMap, HeaderValue};
use keyback::logto::webhook::{Event, WebhookError, WebhookReceiver};
use serde_json::Value;

use crate::webhook::{KEY, RESET_AT, at, headers, hmac, logtos, receiver, reset_body, signed};

/// Of the instance that was recorded: nobody's any more.
const LOGTO_KEY: &str = "1w8dT8KUHgOikCWRnCxSjKl5h15z65Zs";
/// When it was recorded.
const RECORDED: u64 = 1_795_439_400;

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
