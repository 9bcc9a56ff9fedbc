//! What the claims say.

use std::time::Duration;

use keyback::{LogoutTokenError, Remedy};
use serde_json::json;

use super::{EVENT, reason, refusal, verify, with_claims};
use crate::provider::{CLIENT_ID, NOW, SUBJECT, World};

#[tokio::test]
async fn bcl_2_6_the_providers_token_names_the_session_and_its_person() {
    let token = with_claims(|_| {}).await.unwrap();
    assert_eq!(token.session_id(), Some("the-session"));
    assert_eq!(token.subject(), Some(SUBJECT));
    assert_eq!(token.token_id(), "token-1");
}

#[tokio::test]
async fn bcl_2_4_it_may_name_a_person_alone_or_a_session_alone() {
    let person = with_claims(|claims| {
        claims.as_object_mut().unwrap().remove("sid");
    });
    assert_eq!(person.await.unwrap().session_id(), None);
    let session = with_claims(|claims| {
        claims.as_object_mut().unwrap().remove("sub");
    });
    assert_eq!(session.await.unwrap().subject(), None);
    let nobody = refusal(|claims| {
        claims.as_object_mut().unwrap().remove("sub");
        claims.as_object_mut().unwrap().remove("sid");
    });
    assert_eq!(nobody.await, LogoutTokenError::NamesNobody);
}

#[tokio::test]
async fn a_token_names_the_sessions_it_is_about_and_no_others() {
    let world = World::new();
    world.claims(|claims| claims["sid"] = json!("the-session"));
    let session = world.sign_in().await.unwrap();
    for (sub, sid, names) in [
        (Some(SUBJECT), Some("the-session"), true),
        (Some(SUBJECT), None, true),
        (None, Some("the-session"), true),
        (Some(SUBJECT), Some("another"), false),
        (Some("somebody-else"), None, false),
        (Some("somebody-else"), Some("the-session"), false),
    ] {
        let token = with_claims(|claims| {
            for (name, value) in [("sub", sub), ("sid", sid)] {
                match value {
                    Some(value) => claims[name] = json!(value),
                    None => drop(claims.as_object_mut().unwrap().remove(name)),
                }
            }
        });
        assert_eq!(
            token.await.unwrap().names(session.claims()),
            names,
            "{sub:?} {sid:?}"
        );
    }
}

#[tokio::test]
async fn bcl_2_6_another_issuer_is_refused() {
    for issuer in [
        "https://evil.example/oidc",
        "https://id.example/oidc/",
        "https://id.example",
    ] {
        let refused = refusal(|claims| claims["iss"] = json!(issuer)).await;
        assert_eq!(refused, LogoutTokenError::WrongIssuer, "{issuer}");
    }
}

#[tokio::test]
async fn bcl_2_6_another_audience_is_refused() {
    for (audience, expected) in [
        (json!("other-app"), LogoutTokenError::WrongAudience),
        (json!(""), LogoutTokenError::WrongAudience),
        (json!([]), LogoutTokenError::WrongAudience),
        (json!(["other-app"]), LogoutTokenError::WrongAudience),
        (json!([CLIENT_ID, "other-app"]), LogoutTokenError::ForeignAudience),
        (json!(7), LogoutTokenError::Malformed),
    ] {
        let refused = refusal(|claims| claims["aud"] = audience.clone()).await;
        assert_eq!(refused, expected, "{audience}");
    }
    drop(
        with_claims(|claims| claims["aud"] = json!([CLIENT_ID]))
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn bcl_2_4_a_missing_or_odd_claim_is_refused() {
    for name in ["iss", "aud", "iat", "exp", "jti"] {
        let refused = refusal(|claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(refused.await, LogoutTokenError::Malformed, "{name}");
        let refused = refusal(|claims| claims[name] = json!(null));
        assert_eq!(refused.await, LogoutTokenError::Malformed, "{name} null");
    }
    for (name, odd) in [
        ("iss", json!(7)),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("sid", json!(["the-session"])),
        ("sid", json!(null)),
        ("jti", json!("")),
        ("iat", json!("now")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
    ] {
        let refused = refusal(|claims| claims[name] = odd.clone()).await;
        assert_eq!(refused, LogoutTokenError::Malformed, "{name} {odd}");
    }
}

#[tokio::test]
async fn bcl_2_6_times_are_checked_with_the_tolerated_drift() {
    for (name, value, expected) in [
        (
            "exp",
            NOW - 60,
            Some(LogoutTokenError::Expired {
                ago: Duration::from_secs(60),
            }),
        ),
        ("exp", NOW - 59, None),
        (
            "iat",
            NOW + 61,
            Some(LogoutTokenError::IssuedInFuture {
                ahead: Duration::from_secs(61),
            }),
        ),
        ("iat", NOW + 60, None),
        (
            "iat",
            NOW - 660,
            Some(LogoutTokenError::TooOld {
                ago: Duration::from_secs(660),
            }),
        ),
        ("iat", NOW - 659, None),
    ] {
        let outcome = with_claims(|claims| claims[name] = json!(value)).await;
        match expected {
            None => drop(outcome.unwrap()),
            Some(expected) => {
                assert_eq!(expected.remedy(), Remedy::CheckClock);
                assert_eq!(reason(outcome), expected);
            }
        }
    }
}

#[tokio::test]
async fn bcl_2_6_without_the_event_it_is_no_logout_token() {
    for events in [
        json!(null),
        json!({}),
        json!([EVENT]),
        json!(EVENT),
        json!({ EVENT: null }),
        json!({ EVENT: "now" }),
        json!({ EVENT: [] }),
        json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
        json!({ "http://schemas.openid.net/event/backchannel-logout/": {} }),
    ] {
        let refused = refusal(|claims| claims["events"] = events.clone()).await;
        assert_eq!(refused, LogoutTokenError::NoLogoutEvent, "{events}");
    }
    let missing = refusal(|claims| {
        claims.as_object_mut().unwrap().remove("events");
    });
    assert_eq!(missing.await, LogoutTokenError::NoLogoutEvent);
    // Others beside it, and members within, are not ours to judge.
    drop(
        with_claims(|claims| claims["events"] = json!({ EVENT: { "reason": "reset" }, "urn:x": {} }))
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn bcl_2_6_an_id_token_is_no_logout_token() {
    for nonce in [json!("n"), json!(null), json!("")] {
        let refused = refusal(|claims| claims["nonce"] = nonce.clone()).await;
        assert_eq!(refused, LogoutTokenError::HasNonce, "{nonce}");
    }
    let world = World::new();
    let session = world.sign_in().await.unwrap();
    let refused = reason(verify(&world, session.id_token()).await);
    assert_eq!(refused, LogoutTokenError::NoLogoutEvent);
}
