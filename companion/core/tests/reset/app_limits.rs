//! How often at one app, and that its rush is not the others'.

use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::outcome::{IdentifyRejection, ResendRejection};
use keyback_core::rate_limit::{IdentifierHasher, LimitRule, Limiter, Limits};
use keyback_core::time::Timestamp;

use crate::limits::{generous, world};
use crate::memory::Memory;
use crate::world::{ADA, BOB, NOBODY, at_once};

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

/// SR-5: a code that an app asks for and doesn't get costs neither the person a send nor, where it is the person's that are used
/// up, anybody else.
#[test]
fn sr05_a_code_that_an_app_is_refused_costs_nothing() {
    let two = LimitRule::new(2, Duration::from_secs(600));
    let one = LimitRule::new(1, Duration::from_secs(600));
    for limits in [
        Limits {
            app_sends: one,
            app_send_reserve: one,
            ..generous()
        },
        Limits {
            global_sends: one,
            global_send_reserve: one,
            ..generous()
        },
        Limits {
            identifier_sends: two,
            ..generous()
        },
    ] {
        let memory = Memory::default();
        let limiter = Limiter::new(memory.clone(), limits);
        let ada = IdentifierHasher::new(&[2; 32]).hash(&Identifier::parse(ADA).unwrap());
        let send = || at_once(limiter.send_by_app(&ada, "demo-site", Timestamp::from_millis(0))).unwrap();
        assert!(send().is_ok() && send().is_ok());
        let touched = memory.limits_touched_by(|| assert!(send().is_err()));
        assert_eq!(touched, [""; 0]);
    }
}
