//! Two answers at once: whoever loses the swap is told what the flow says by then.

use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::ids::Subject;
use keyback_core::one_time_code::{CodeContext, CodeKey, CodeKeyring};
use keyback_core::outcome::{ResendRejection, SetPasswordRejection, VerifyRejection};
use keyback_core::password::{NewPassword, NoPassword, PasswordGate, PasswordPolicy, UserFacts};
use keyback_core::ports::{CompleteOutcome, Completion, IdentityBackend as _};
use keyback_core::random::SystemRandom;
use keyback_core::reset::{CountedChallenge, Issuing, ResetFlow, ResetRequest, ResetSettings};
use keyback_core::testing::ManualClock;
use keyback_core::time::Clock as _;

use crate::memory::{Memory, Rows};
use crate::world::{ADA, Browser, STRONG, WEAK, World, at_once};

fn meanwhile(world: &World, act: impl FnOnce(&mut Rows) + Send + 'static) {
    world.memory.rows().meanwhile = Some(Box::new(act));
}

/// A flow that was accepted, completed or otherwise moved on, as the winner of the race leaves it.
fn after(world: &World, browser: &Browser, act: impl FnOnce(&World)) -> String {
    let before = world.memory.rows().flows[&browser.flow_id].clone();
    act(world);
    let mut rows = world.memory.rows();
    rows.flows.insert(browser.flow_id.clone(), before).unwrap()
}

/// SR-21: the same right code twice at once gives one proof.
#[test]
fn the_second_of_two_right_codes_is_already_used() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let won = after(&world, &browser, |world| {
        world.verify(&browser, &code).unwrap();
    });
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::AlreadyUsed
    );
}

#[test]
fn a_resend_that_comes_first_supersedes_the_code() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    world.wait(60);
    let challenges = world.memory.rows().challenges.clone();
    let won = after(&world, &browser, |world| {
        world.resend(&browser).unwrap();
    });
    world.memory.rows().challenges.extend(challenges);
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::Superseded
    );
}

#[test]
fn a_code_that_comes_first_makes_a_resend_late() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    world.wait(60);
    let won = after(&world, &browser, |world| {
        world.verify(&browser, &code).unwrap();
    });
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    assert_eq!(world.resend(&browser).unwrap_err(), ResendRejection::AlreadyUsed);
}

/// SR-19: attempts that others count meanwhile leave none.
#[test]
fn attempts_are_counted_where_they_rest() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    // The page was shown with tries left; by the time of the count they are gone.
    world
        .memory
        .rows()
        .challenges
        .get_mut(&browser.challenge_id)
        .unwrap()
        .attempts = 5;
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::Exhausted
    );
    world.memory.rows().challenges.clear();
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::Expired,
        "it was swept"
    );
}

#[test]
fn the_second_of_two_passwords_is_already_used() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let won = after(&world, &browser, |world| {
        world.set_password(&browser, &proof, STRONG).unwrap();
    });
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    let lost = world.set_password(&browser, &proof, "another-strong-one-7421");
    assert_eq!(lost.unwrap_err(), SetPasswordRejection::AlreadyUsed);
    assert_eq!(world.password_of(ADA), STRONG);
}

#[test]
fn a_weak_password_that_comes_first_only_overtakes() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let won = after(&world, &browser, |world| {
        world.set_password(&browser, &proof, WEAK).unwrap_err();
    });
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    let lost = world.set_password(&browser, &proof, STRONG);
    assert_eq!(lost.unwrap_err(), SetPasswordRejection::Overtaken);
    assert!(
        world.set_password(&browser, &proof, STRONG).is_ok(),
        "the proof still holds"
    );
}

/// Of two weak passwords at once one is counted, and only its sender is told what is wrong with it (SR-46).
#[test]
fn a_weak_password_that_comes_second_is_told_nothing() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let won = after(&world, &browser, |world| {
        world.set_password(&browser, &proof, WEAK).unwrap_err();
    });
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.insert(flow_id, won);
    });
    let lost = world.set_password(&browser, &proof, WEAK);
    assert_eq!(lost.unwrap_err(), SetPasswordRejection::Overtaken);
    let next = world.set_password(&browser, &proof, WEAK);
    assert!(matches!(
        next,
        Err(SetPasswordRejection::Weak { tries_left: 18, .. })
    ));
}

/// SR-24: a flow that the account page takes away is gone for the form that is already on its way.
#[test]
fn a_flow_that_was_taken_away_sets_no_password() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let flow_id = browser.flow_id.clone();
    meanwhile(&world, move |rows| {
        rows.flows.remove(&flow_id);
    });
    let lost = world.set_password(&browser, &proof, STRONG);
    assert_eq!(lost.unwrap_err(), SetPasswordRejection::UnknownFlow);
}

/// SR-22: the answer to a challenge that was superseded since opens nothing, even when it was right.
#[test]
fn a_checked_answer_fits_its_own_challenge_only() {
    let (keyring, settings) = (
        CodeKeyring::new(CodeKey::new("k1", &[1; 32]), Vec::new()),
        ResetSettings::default(),
    );
    let now = ManualClock::default().now();
    let issuing = |now| Issuing {
        keyring: &keyring,
        random: &SystemRandom,
        settings: &settings,
        send_after: Duration::ZERO,
        now,
    };
    let request = ResetRequest {
        identifier: Identifier::parse(ADA).unwrap(),
        client_id: None,
        interaction: None,
        send_after: Duration::ZERO,
    };
    let opened = ResetFlow::begin(request, issuing(now));
    let right = || {
        let context = CodeContext {
            flow_id: opened.flow.id(),
            challenge_id: &opened.challenge.id,
            identifier: opened.flow.identifier(),
            client_id: None,
        };
        let code_digest = opened.challenge.code_digest.clone();
        let subject = Some(Subject::new("ada000000000"));
        CountedChallenge {
            attempts: 1,
            code_digest,
            subject,
        }
        .check(&keyring, &opened.job.code, &context)
        .unwrap()
    };
    let resent = opened
        .flow
        .clone()
        .resend(issuing(now + settings.resend_cooldown))
        .unwrap()
        .flow;
    assert_eq!(
        resent.accept_code(right(), issuing(now)).unwrap_err(),
        VerifyRejection::Superseded
    );
    assert!(opened.flow.clone().accept_code(right(), issuing(now)).is_ok());
}

/// A backend's compare-and-swap is all that it takes: a reset that was proved twice sets one password.
#[test]
fn two_proven_resets_complete_once() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let (flow, now) = (world.flow(&browser).unwrap(), world.clock.now());
    let gate = PasswordGate::<Memory>::new(PasswordPolicy::default(), None);
    let complete = |password: &str| {
        let reset = flow
            .clone()
            .prove(&proof, &ResetSettings::default(), now)
            .unwrap();
        let password = NewPassword::parse(password).unwrap();
        let accepted = at_once(gate.accept(password, &UserFacts::default(), &NoPassword)).unwrap();
        at_once(world.memory.complete(Completion {
            reset,
            password: accepted.unwrap(),
            visitor: browser.visitor(),
            now,
        }))
        .unwrap()
    };
    assert!(matches!(complete(STRONG), CompleteOutcome::Completed(_)));
    assert_eq!(complete("another-strong-one-7421"), CompleteOutcome::Conflict);
    assert_eq!(world.password_of(ADA), STRONG);
}
