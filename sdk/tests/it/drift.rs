//! The clocks of both machines, by the `Date` of the provider's answers.

use std::time::Duration;

use keyback::{Error, IdTokenError, Remedy};
use serde_json::json;

use crate::provider::{NOW, World};

/// NOW, in words.
const NOON: &str = "Mon, 21 Sep 2026 14:13:20 GMT";
const SEVEN_MINUTES_BEHIND: &str = "Mon, 21 Sep 2026 14:06:20 GMT";
const SEVEN_MINUTES_AHEAD: &str = "Mon, 21 Sep 2026 14:20:20 GMT";

async fn refusal(date: Option<&'static str>, issued_at: u64) -> IdTokenError {
    let world = World::new();
    world.provider.lock().date = date;
    world.claims(move |claims| {
        claims["iat"] = json!(issued_at);
        claims["exp"] = json!(issued_at + 300);
    });
    match world.refused().await {
        Error::IdToken(error) => error,
        other => panic!("not about the ID token: {other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_for_the_time_names_the_drift() {
    let error = refusal(Some(SEVEN_MINUTES_BEHIND), NOW - 420).await;
    let IdTokenError::Expired {
        drift: Some(drift), ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(drift.is_ahead());
    assert_eq!(drift.amount(), Duration::from_secs(420));
    assert!(
        error
            .to_string()
            .ends_with("clock is about 420 s ahead of the provider's"),
        "{error}"
    );
    assert_eq!(error.remedy(), Remedy::CheckClock);

    let error = refusal(Some(SEVEN_MINUTES_AHEAD), NOW + 420).await;
    let IdTokenError::IssuedInFuture {
        drift: Some(drift), ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(!drift.is_ahead());
    assert!(
        error.to_string().contains("420 s behind the provider's"),
        "{error}"
    );
}

/// Where the clocks agree, or nothing is known, none is blamed.
#[tokio::test]
async fn no_drift_is_named_that_is_none() {
    for date in [None, Some(NOON), Some("yesterday")] {
        let error = refusal(date, NOW - 420).await;
        assert!(
            matches!(error, IdTokenError::Expired { drift: None, .. }),
            "{error:?}"
        );
    }
}
