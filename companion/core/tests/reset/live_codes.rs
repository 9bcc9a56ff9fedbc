//! How many codes of one identifier may be right at one time, and that no stranger keeps the owner's room (SR-22).

use std::time::Duration;

use keyback_core::outcome::{IdentifyRejection, ResendRejection};
use keyback_core::rate_limit::Limits;

use crate::limits::{generous, world};
use crate::world::{ADA, BOB, NOBODY};

/// SR-22: five codes of an identifier are live, one of them for somebody not yet seen. SR-3: account or not.
#[test]
fn sr22_five_codes_are_live_and_the_last_is_for_somebody_not_yet_seen() {
    for identifier in [ADA, NOBODY] {
        let world = world(Limits {
            identifier_live_codes: Limits::default().identifier_live_codes,
            ..generous()
        });
        let limited = |seconds| {
            Some(IdentifyRejection::Limited {
                retry_after: Duration::from_secs(seconds),
            })
        };
        let first = world.try_ask(identifier, "198.51.100.66").unwrap();
        for _ in 0..3 {
            world.wait(10);
            assert!(world.try_ask(identifier, "198.51.100.66").is_ok());
        }
        assert_eq!(world.try_ask(identifier, "198.51.100.66").err(), limited(570));
        assert!(
            world.try_ask(identifier, "192.0.2.1").is_ok(),
            "the owner, from elsewhere"
        );
        assert_eq!(world.try_ask(identifier, "192.0.2.2").err(), limited(570));
        assert!(
            world.try_ask(BOB, "198.51.100.66").is_ok(),
            "others are not concerned"
        );

        world.wait(30);
        assert!(world.resend(&first).is_ok(), "its own code makes room");
        world.wait(560);
        assert!(
            world.try_ask(identifier, "198.51.100.66").is_ok(),
            "two have ended"
        );
    }
}

/// SR-22: a client that asks again and again is seen for a day: two of them in turns keep nobody out for longer than they
/// are new, nor do they by asking for code after code in the flows they have.
#[test]
fn sr22_two_strangers_in_turns_lock_nobody_out() {
    let world = world(Limits {
        identifier_live_codes: Limits::default().identifier_live_codes,
        ..generous()
    });
    let mut locked_out = 0;
    for round in 0..30 {
        let held: Vec<_> = ["198.51.100.66"; 4]
            .into_iter()
            .chain(["198.51.100.67"])
            .filter_map(|client| world.try_ask(ADA, client).ok())
            .collect();
        for _ in 0..9 {
            world.wait(61);
            for flow in &held {
                let _ = world.resend(flow);
            }
        }
        // Each time from another café.
        let owner = world.try_ask(ADA, &format!("192.0.2.{round}"));
        locked_out += usize::from(owner.is_err());
        world.wait(601);
    }
    // Three times, and once more after eight hours.
    assert_eq!(locked_out, 4);
}

/// SR-22: who was told to come back, or asks for another code, is not seen for that.
#[test]
fn sr22_neither_a_refusal_nor_another_code_makes_the_owner_seen() {
    let world = world(Limits {
        identifier_live_codes: Limits::default().identifier_live_codes,
        ..generous()
    });
    for client in ["198.51.100.66"; 4].into_iter().chain(["198.51.100.67"]) {
        assert!(world.try_ask(ADA, client).is_ok());
    }
    for _ in 0..5 {
        let before = world.memory.rows().limits.clone();
        assert!(world.try_ask(ADA, "192.0.2.1").is_err());
        assert_eq!(world.memory.rows().limits, before, "it has used nothing");
    }
    world.wait(600);
    for _ in 0..4 {
        assert!(world.try_ask(ADA, "198.51.100.66").is_ok());
    }
    let owners = world.try_ask(ADA, "192.0.2.1").unwrap();
    for _ in 0..5 {
        world.wait(60);
        assert!(world.resend(&owners).is_ok());
    }
    world.wait(600);
    for _ in 0..4 {
        assert!(world.try_ask(ADA, "198.51.100.66").is_ok());
    }
    assert!(
        world.try_ask(ADA, "192.0.2.1").is_ok(),
        "its second flow of the day"
    );
}

/// SR-22: a flow keeps its room among five for ten minutes, however often it asks.
#[test]
fn sr22_code_after_code_holds_the_room_for_no_longer_than_one_would() {
    let world = world(Limits {
        identifier_live_codes: Limits::default().identifier_live_codes,
        ..generous()
    });
    let flows: Vec<_> = ["198.51.100.66"; 4]
        .into_iter()
        .chain(["198.51.100.67"])
        .map(|client| world.try_ask(ADA, client).unwrap())
        .collect();
    world.wait(590);
    for flow in &flows {
        assert!(world.resend(flow).is_ok(), "it still keeps its room");
    }
    world.wait(60);
    for flow in &flows {
        assert!(matches!(world.resend(flow), Err(ResendRejection::Limited { .. })));
    }
    world.wait(540);
    assert!(world.try_ask(ADA, "192.0.2.1").is_ok(), "the owner");
    assert!(
        world.resend(&flows[0]).is_ok(),
        "and there is room for others again"
    );
}
