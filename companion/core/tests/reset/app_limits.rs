//! How often at one app, and that its rush is not the others'.

use std::time::Duration;

use keyback_core::outcome::{IdentifyRejection, ResendRejection};
use keyback_core::rate_limit::{LimitRule, Limits};

use crate::limits::{generous, world};
use crate::world::{ADA, BOB, NOBODY};

const SITE: Option<&str> = Some("demo-site");
const OTHER: Option<&str> = Some("other-site");

fn limits() -> Limits {
    Limits {
        app_sends: LimitRule::new(2, Duration::from_secs(600)),
        app_send_reserve: LimitRule::new(1, Duration::from_secs(600)),
        ..generous()
    }
}

/// SR-5: sends are limited by app; what one app has used up is neither another's nor everybody's.
#[test]
fn sr05_an_app_is_limited_and_its_rush_leaves_the_others_theirs() {
    let world = world(limits());
    for identifier in [ADA, NOBODY] {
        assert!(world.try_ask_at(SITE, identifier, "198.51.100.66").is_ok());
    }
    let touched = world.memory.limits_touched_by(|| {
        let refused = world.try_ask_at(SITE, BOB, "198.51.100.66").err().unwrap();
        assert!(
            matches!(refused, IdentifyRejection::Limited { retry_after } if retry_after <= Duration::from_secs(300))
        );
    });
    assert_eq!(
        touched,
        ["client:send:198.51.100.66/32"],
        "nothing of the identifier's, and nothing of everybody's"
    );
    assert!(world.try_ask_at(OTHER, BOB, "198.51.100.66").is_ok());
    assert!(world.try_ask_at(None, BOB, "198.51.100.66").is_ok());
    assert!(
        world.try_ask_at(SITE, BOB, "192.0.2.1").is_ok(),
        "one is kept for who was not seen there"
    );
    assert!(
        world.try_ask_at(SITE, BOB, "192.0.2.2").is_err(),
        "it is a limit all the same"
    );
    world.wait(600);
    assert!(
        world.try_ask_at(SITE, BOB, "198.51.100.66").is_ok(),
        "it recovers by itself"
    );
}

/// SR-5: another code of a flow is one of its app's.
#[test]
fn sr05_a_resend_is_one_of_the_apps_sends() {
    let world = world(limits());
    let browser = world.try_ask_at(SITE, ADA, "198.51.100.66").unwrap();
    assert!(world.try_ask_at(SITE, BOB, "198.51.100.66").is_ok());
    assert!(world.try_ask_at(SITE, BOB, "192.0.2.1").is_ok());
    world.wait(60);
    assert!(matches!(
        world.resend(&browser),
        Err(ResendRejection::Limited { .. })
    ));
}
