//! What webhooks tell of: every event typed, and those that nobody knows kept.

use keyback::logto::webhook::{Event, WebhookError};

use crate::webhook::signed;

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
