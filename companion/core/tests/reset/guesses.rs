//! Wrong codes in a row, over all the codes of an address (SR-20).

use std::time::Duration;

use keyback_core::outcome::VerifyRejection;
use keyback_core::rate_limit::Limits;

use crate::limits::{generous, world};
use crate::world::{ADA, NOBODY, World, other_than};

/// Guesses until refused, waiting as told between them; answers the waits.
fn guess(world: &World, identifier: &str, address: &str, times: u32) -> Vec<u64> {
    let mut waits = Vec::new();
    let mut guessed = 0;
    while guessed < times {
        let browser = world.try_ask(identifier, address).unwrap();
        let code = world.code_for(identifier).unwrap_or_else(|| "123456".to_owned());
        match world.verify(&browser, &other_than(&code)).unwrap_err() {
            VerifyRejection::WrongCode { .. } => guessed += 1,
            VerifyRejection::Limited { retry_after } => {
                waits.push(retry_after.as_secs());
                // What rests is rounded up to the second.
                world.wait(retry_after.as_secs() + 1);
            }
            other => panic!("{other:?}"),
        }
    }
    waits
}

/// SR-20: of codes in a row ten may be wrong without a pause, then the pauses grow, and after forty there is a rest, but for ten
/// others, who have one each.
/// SR-3: account or not. SR-22: nobody is locked out from elsewhere, and nobody has to be asked.
#[test]
fn sr20_fifty_codes_in_a_row_with_growing_pauses_and_then_a_rest() {
    let hour = 3_600;
    let told = [ADA, NOBODY].map(|identifier| {
        let limits = Limits {
            identifier_guesses: Limits::default().identifier_guesses,
            ..generous()
        };
        let world = world(limits);
        let waits = guess(&world, identifier, "198.51.100.66", 40);
        assert_eq!(waits[..8], [30, 60, 120, 240, 480, 960, 1_920, hour]);
        assert!(waits[8..].iter().all(|wait| (hour - 1..=hour).contains(wait)));
        assert_eq!(waits.len(), 29, "from the twelfth on each has waited");

        let stranger = world.try_ask(identifier, "198.51.100.66").unwrap();
        let VerifyRejection::Limited { retry_after } = world.verify(&stranger, "000000").unwrap_err() else {
            panic!("ten are kept for others");
        };
        assert!(
            (86_300..=86_401).contains(&retry_after.as_secs()),
            "{retry_after:?}"
        );
        let owner = world.try_ask(identifier, "203.0.113.9").unwrap();
        let code = world.code_for(identifier).unwrap_or_else(|| "123456".to_owned());
        let answer = world.verify(&owner, &other_than(&code)).unwrap_err();
        assert!(
            matches!(answer, VerifyRejection::WrongCode { .. }),
            "the owner, from elsewhere"
        );

        world.wait(86_401);
        assert_eq!(
            guess(&world, identifier, "198.51.100.66", 10),
            [0_u64; 0],
            "it ends by itself"
        );
        waits
    });
    assert_eq!(told[0], told[1]);
}

/// SR-20: a right code ends the run.
#[test]
fn sr20_a_right_code_ends_the_run_of_wrong_ones() {
    let world = world(Limits {
        identifier_guesses: Limits::default().identifier_guesses,
        ..generous()
    });
    for _ in 0..3 {
        assert_eq!(guess(&world, ADA, "192.0.2.1", 10), [0_u64; 0]);
        let browser = world.ask(ADA);
        let code = world.code_for(ADA).unwrap();
        assert!(world.verify(&browser, &code).is_ok());
    }
    assert_eq!(guess(&world, ADA, "192.0.2.1", 12), [30]);
}

/// Is Ada's, too.
const ADAS_PHONE: &str = "+14155550123";
/// Has no account.
const NOBODYS_PHONE: &str = "+14155550199";

/// SR-20: a hundred is the end for an account, over its e-mail address and its phone number, whoever asks, however many
/// addresses they have, each new one for each code. SR-3: what was tried at one of the two is not seen at the other, so that nobody
/// learns from it that they belong together.
#[test]
fn sr20_with_hundreds_of_addresses_an_account_has_a_hundred_too() {
    let told_in_turn = |[first, second]: [&'static str; 2]| {
        let world = world(Limits {
            identifier_guesses: Limits::default().identifier_guesses,
            ..generous()
        });
        let adas = world.memory.rows().accounts[ADA].clone();
        world.memory.rows().accounts.insert(ADAS_PHONE.to_owned(), adas);
        let told = |identifier: &str| {
            let mut told = Vec::new();
            for address in 0..400 {
                let address = format!("198.51.{}.{}", address / 200, address % 200);
                let browser = world.try_ask(identifier, &address).unwrap();
                let code = world.code_for(identifier).unwrap_or_else(|| "123456".to_owned());
                match world.verify(&browser, &other_than(&code)).unwrap_err() {
                    VerifyRejection::WrongCode { .. } => told.push(None),
                    VerifyRejection::Limited { retry_after } => {
                        told.push(Some(retry_after.as_secs()));
                        if retry_after > Duration::from_secs(3_600) {
                            return told;
                        }
                        world.wait(retry_after.as_secs() + 1);
                    }
                    other => panic!("{other:?}"),
                }
            }
            panic!("it has no end: {told:?}")
        };
        [told(first), told(second)]
    };
    let of_account = told_in_turn([ADA, ADAS_PHONE]);
    let taken = of_account.iter().flatten().filter(|told| told.is_none());
    assert_eq!(taken.count(), 100);
    assert_eq!(
        of_account[0], of_account[1],
        "nothing of the first is seen at the second"
    );
    assert_eq!(of_account, told_in_turn([NOBODY, NOBODYS_PHONE]));
}

/// SR-20, SR-22: who has tried all that is for everybody, from ten addresses, has none of the reserve.
#[test]
fn sr20_sr22_ten_addresses_that_have_tried_all_leave_the_owner_a_try() {
    let world = world(Limits {
        identifier_guesses: Limits::default().identifier_guesses,
        ..generous()
    });
    let attempt = |nth: u32| {
        // No pause is longer.
        world.wait(3_601);
        let browser = world.try_ask(ADA, &format!("198.51.100.{}", nth % 10)).unwrap();
        let code = world.code_for(ADA).unwrap();
        world.verify(&browser, &other_than(&code)).unwrap_err()
    };
    for nth in 0..40 {
        assert!(matches!(attempt(nth), VerifyRejection::WrongCode { .. }), "{nth}");
    }
    for nth in 0..10 {
        assert!(matches!(attempt(nth), VerifyRejection::Limited { .. }), "{nth}");
    }
    let owner = world.try_ask(ADA, "203.0.113.9").unwrap();
    let code = world.code_for(ADA).unwrap();
    assert!(world.verify(&owner, &code).is_ok());
}
