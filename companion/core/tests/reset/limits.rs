//! How often, and that it is the same for everybody.

use std::net::IpAddr;
use std::time::Duration;

use keyback_core::outcome::{IdentifyRejection, ResendRejection, VerifyRejection};
use keyback_core::rate_limit::{ClientPrefix, LimitRule, Limiter, Limits};
use keyback_core::reset::ResetSettings;
use keyback_core::time::Timestamp;

use crate::memory::Memory;
use crate::world::{ADA, BOB, NOBODY, World, at_once, other_than};

/// Every limit far away, but the one under test.
pub(crate) fn generous() -> Limits {
    Limits::default().times(1_000)
}

pub(crate) fn world(limits: Limits) -> World {
    World::with(limits, ResetSettings::default())
}

/// SR-5, SR-22: ten sends to one identifier in ten minutes, the tenth for somebody not yet seen. SR-3: account or not.
#[test]
fn sr03_sr05_sr22_a_stranger_leaves_the_owner_a_send() {
    for identifier in [ADA, NOBODY] {
        let limits = Limits {
            identifier_sends: Limits::default().identifier_sends,
            identifier_send_reserve: Limits::default().identifier_send_reserve,
            ..generous()
        };
        let world = world(limits);
        for _ in 0..9 {
            assert!(world.try_ask(identifier, "198.51.100.66").is_ok());
        }
        let stranger = world.try_ask(identifier, "198.51.100.66").err().unwrap();
        assert!(
            matches!(stranger, IdentifyRejection::Limited { retry_after } if retry_after <= Duration::from_secs(67))
        );
        assert!(
            world.try_ask(identifier, "192.0.2.1").is_ok(),
            "the owner, from elsewhere"
        );
        assert!(
            world.try_ask(identifier, "192.0.2.2").is_err(),
            "one is kept, not two"
        );
        assert!(
            world.try_ask(BOB, "198.51.100.66").is_ok(),
            "others are not concerned"
        );
        world.wait(600);
        assert!(
            world.try_ask(identifier, "198.51.100.66").is_ok(),
            "it recovers by itself"
        );
    }
}

/// SR-5: by address, IPv6 by /64.
#[test]
fn a_client_is_limited_whoever_it_asks_for() {
    let world = world(Limits {
        client_sends: LimitRule::new(3, Duration::from_secs(600)),
        ..generous()
    });
    for number in 0..3 {
        assert!(
            world
                .try_ask(
                    &format!("user{number}@example.com"),
                    &format!("2001:db8::{number}")
                )
                .is_ok()
        );
    }
    assert!(world.try_ask(ADA, "2001:db8::ffff:1").is_err(), "the same /64");
    assert!(world.try_ask(ADA, "2001:db8:0:1::1").is_ok());
    assert!(world.try_ask(ADA, "192.0.2.1").is_ok());
    assert!(world.try_ask(ADA, "::ffff:192.0.2.1").is_ok());
    assert!(world.try_ask(ADA, "192.0.2.1").is_ok());
    assert!(
        world.try_ask(ADA, "::ffff:192.0.2.1").is_err(),
        "one client under two spellings"
    );
}

#[test]
fn a_limited_request_writes_nothing() {
    let world = world(Limits {
        client_sends: LimitRule::new(1, Duration::from_secs(600)),
        ..generous()
    });
    world.ask(ADA);
    world.asked();
    let before = world.memory.rows().limits.clone();
    assert!(world.try_ask(BOB, "192.0.2.1").is_err());
    assert_eq!(world.asked(), ["live_codes", "update"]);
    assert_eq!(
        world.memory.rows().limits,
        before,
        "its own limit is asked first, and nobody else's is used"
    );
    assert_eq!(world.memory.rows().flows.len(), 1);
}

#[test]
fn the_installation_is_limited() {
    let world = world(Limits {
        global_sends: LimitRule::new(2, Duration::from_secs(600)),
        global_send_reserve: LimitRule::new(1, Duration::from_secs(600)),
        ..generous()
    });
    for (identifier, client) in [(ADA, "192.0.2.1"), (BOB, "192.0.2.1"), (ADA, "192.0.2.2")] {
        assert!(world.try_ask(identifier, client).is_ok());
    }
    world.asked();
    let touched = world
        .memory
        .limits_touched_by(|| assert!(world.try_ask(NOBODY, "192.0.2.3").is_err()));
    assert_eq!(world.asked(), ["live_codes", "update"]);
    assert_eq!(
        touched,
        ["client:send:192.0.2.3/32"],
        "the client's own, and nothing of its app's or the identifier's"
    );
}

/// SR-22: else a stranger could have whoever is refused meanwhile lose what is kept for those not yet seen.
#[test]
fn sr22_who_is_refused_counts_as_not_seen() {
    let world = world(Limits {
        identifier_sends: LimitRule::new(1, Duration::from_secs(600)),
        identifier_send_reserve: LimitRule::new(1, Duration::from_secs(600)),
        ..generous()
    });
    for client in ["198.51.100.66", "198.51.100.67"] {
        assert!(world.try_ask(ADA, client).is_ok());
    }
    for client in ["192.0.2.1", "198.51.100.66"] {
        let touched = world
            .memory
            .limits_touched_by(|| assert!(world.try_ask(ADA, client).is_err()));
        assert_eq!(touched, [format!("client:send:{client}/32")]);
    }
}

/// SR-5: the sends of all are a limit, and no way to keep everybody out: half are for clients not yet seen.
#[test]
fn sr05_strangers_who_use_up_the_sends_of_all_leave_some_to_others() {
    let world = world(Limits {
        global_sends: LimitRule::new(4, Duration::from_secs(600)),
        global_send_reserve: LimitRule::new(2, Duration::from_secs(600)),
        ..generous()
    });
    let ask = |number: u32, client: &str| world.try_ask(&format!("user{number}@example.com"), client);
    for number in 0..4 {
        assert!(ask(number, "198.51.100.66").is_ok());
    }
    assert!(
        ask(4, "198.51.100.66").is_err(),
        "a flood gets nothing of the reserve"
    );
    assert!(ask(5, "192.0.2.1").is_ok());
    assert!(ask(6, "192.0.2.2").is_ok());
    assert!(ask(7, "192.0.2.3").is_err(), "it is a limit all the same");
}

#[test]
fn a_resend_counts_as_a_send() {
    let world = world(Limits {
        client_sends: LimitRule::new(1, Duration::from_secs(6_000)),
        ..generous()
    });
    let browser = world.ask(ADA);
    world.wait(60);
    assert!(matches!(
        world.resend(&browser),
        Err(ResendRejection::Limited { .. })
    ));
}

/// Over all codes of an identifier, 100 tries an hour, right ones too, and it recovers by itself.
#[test]
fn guesses_are_bounded_over_all_codes() {
    for identifier in [ADA, NOBODY] {
        let defaults = Limits::default();
        let world = world(Limits {
            identifier_verifications: defaults.identifier_verifications,
            identifier_verification_reserve: defaults.identifier_verification_reserve,
            ..generous()
        });
        let mut tried = 0;
        let refused = 'guessing: loop {
            let browser = world.ask(identifier);
            let code = world.code_for(identifier).unwrap_or_else(|| "123456".to_owned());
            for _ in 0..5 {
                match world.verify(&browser, &other_than(&code)).unwrap_err() {
                    VerifyRejection::WrongCode { .. } => tried += 1,
                    refused => break 'guessing refused,
                }
            }
        };
        assert_eq!(tried, 95, "{identifier}");
        assert!(matches!(refused, VerifyRejection::Limited { .. }));

        let mut owner = world.try_ask(ADA, "203.0.113.9").unwrap();
        if identifier == ADA {
            let code = world.code_for(ADA).unwrap();
            assert!(
                world.verify(&owner, &code).is_ok(),
                "the owner, from elsewhere, is not locked out"
            );
        }
        world.wait(40);
        owner = world.ask(identifier);
        assert!(
            matches!(
                world.verify(&owner, "000000"),
                Err(VerifyRejection::WrongCode { .. })
            ),
            "one grew back"
        );
    }
}

#[test]
fn a_limited_try_costs_no_attempt() {
    let world = world(Limits {
        client_verifications: LimitRule::new(1, Duration::from_secs(60)),
        ..generous()
    });
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    world.verify(&browser, &other_than(&code)).unwrap_err();
    assert!(matches!(
        world.verify(&browser, &code),
        Err(VerifyRejection::Limited { .. })
    ));
    world.wait(60);
    assert!(world.verify(&browser, &code).is_ok());
}

/// RFC 8628 5.1: many clients together search no faster, and who has used the codes of everybody up locks nobody out.
#[test]
fn rfc8628_5_1_a_stranger_leaves_others_their_codes_of_devices() {
    let limiter = Limiter::new(
        Memory::default(),
        Limits {
            global_user_codes: LimitRule::new(20, Duration::from_secs(600)),
            global_user_code_reserve: LimitRule::new(2, Duration::from_secs(600)),
            ..Limits::default()
        },
    );
    let types = |address: &str| {
        let client = ClientPrefix::from(address.parse::<IpAddr>().unwrap());
        at_once(limiter.user_code(client, Timestamp::from_millis(0)))
            .unwrap()
            .is_ok()
    };
    for _ in 0..20 {
        assert!(types("198.51.100.66"));
    }
    assert!(!types("198.51.100.66"), "the stranger has used them up");
    assert!(types("192.0.2.1") && types("192.0.2.2"), "others, from elsewhere");
    assert!(!types("192.0.2.3"), "two are kept, not three");
    let all = Limits::default();
    assert_eq!(
        all.global_user_codes.capacity + all.global_user_code_reserve.capacity,
        3_000,
        "the reserve is part of what the search for a code may take"
    );
}

/// SR-13: each costs a call of the provider, right or wrong, so that there is an end to them from however many addresses.
#[test]
fn sr13_answers_to_captchas_are_limited_in_all_and_a_stranger_leaves_others_theirs() {
    let limiter = Limiter::new(
        Memory::default(),
        Limits {
            global_captchas: LimitRule::new(20, Duration::from_secs(600)),
            global_captcha_reserve: LimitRule::new(5, Duration::from_secs(600)),
            ..Limits::default()
        },
    );
    let answers = |address: String| {
        let client = ClientPrefix::from(address.parse::<IpAddr>().unwrap());
        at_once(limiter.captcha(client, Timestamp::from_millis(0)))
            .unwrap()
            .is_ok()
    };
    let of_one = (0..40).filter(|_| answers("198.51.100.66".to_owned())).count();
    assert_eq!(of_one, 20, "what is kept is not for one who was here often");
    let of_many = (1..=200)
        .filter(|number| answers(format!("192.0.2.{number}")))
        .count();
    assert_eq!(of_many, 5);
}

/// What anybody can have written down is limited by address.
#[test]
fn a_client_has_so_many_requests_written_down() {
    let limiter = Limiter::new(Memory::default(), Limits::default());
    let write = |address: &str, second: i64| {
        let client = ClientPrefix::from(address.parse::<IpAddr>().unwrap());
        at_once(limiter.write_request(client, Timestamp::from_millis(second * 1_000)))
            .unwrap()
            .is_ok()
    };
    for _ in 0..200 {
        assert!(write("192.0.2.1", 0));
    }
    assert!(!write("192.0.2.1", 0));
    assert!(write("192.0.2.2", 0));
    assert!(write("192.0.2.1", 3), "one grows back in three seconds");
}
