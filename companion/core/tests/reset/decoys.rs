//! Identifiers that no account, or none that may reset, belongs to.

use keyback_core::outcome::VerifyRejection;

use crate::world::{ADA, NOBODY, PASSWORDLESS, SUSPENDED, UNVERIFIED, World};

/// SR-1, SR-2, SR-3, SR-26: whatever the account of an identifier, or without one, the answers are the same, from the same
/// questions to the ports in one order.
#[test]
fn sr01_sr02_sr03_sr26_a_decoy_looks_the_same_and_asks_the_same_of_the_ports() {
    let told = |identifier: &str| {
        let world = World::new();
        let browser = world.ask(identifier);
        let mut asked = vec![world.asked()];
        world.code_for(identifier);
        let real = world.memory.rows().challenges[&browser.challenge_id].clone();
        let mut answers = Vec::new();
        answers.push(format!("{:?}", world.resend(&browser).unwrap_err()));
        for _ in 0..6 {
            answers.push(format!("{:?}", world.verify(&browser, "000001").unwrap_err()));
            answers.push(format!("{:?}", world.view(&browser).unwrap().step));
        }
        world.wait(60);
        answers.push(format!("{:?}", world.resend(&browser).is_ok()));
        world.wait(600);
        answers.push(format!("{:?}", world.verify(&browser, "000001").unwrap_err()));
        asked.push(world.asked());
        (answers, asked, world.events(), real.subject.is_some())
    };
    let (answers, asked, events, bound) = told(ADA);
    assert!(bound);
    for (identifier, may_reset) in [
        (NOBODY, false),
        (SUSPENDED, false),
        (UNVERIFIED, false),
        (PASSWORDLESS, true),
    ] {
        let other = told(identifier);
        assert_eq!(other.3, may_reset, "{identifier}");
        assert_eq!(
            (other.0, other.1, other.2),
            (answers.clone(), asked.clone(), events.clone()),
            "{identifier}"
        );
    }
}

/// SR-26: no code is right for nobody, not even the one that was drawn.
#[test]
fn sr04_sr25_sr26_a_decoys_own_code_is_wrong() {
    let world = World::new();
    let browser = world.ask(NOBODY);
    let drawn = world.memory.rows().jobs[0].code.clone();
    assert!(world.code_for(NOBODY).is_none(), "SR-4: nothing is sent");
    assert_eq!(
        world.verify(&browser, &drawn).unwrap_err(),
        VerifyRejection::WrongCode { attempts_left: 4 }
    );
}
