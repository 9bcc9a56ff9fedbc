//! One-time tokens: the way in that needs no code.

use keyback_core::outcome::{SetPasswordRejection, TokenRejection, VerifyRejection};
use keyback_core::rate_limit::Limits;
use keyback_core::reset::ResetSettings;

use crate::world::{ADA, BOB, NOBODY, OLD_PASSWORD, STRONG, SUSPENDED, WEAK, World};

/// SR-27, SR-46: the proof of a token is one like any other.
#[test]
fn sr27_a_token_gives_a_proof_that_sets_one_password() {
    let world = World::new();
    world.make_token("token", ADA);
    let (browser, proof) = world.bring("token", ADA).unwrap();
    let weak = world.set_password(&browser, &proof, WEAK);
    assert!(matches!(
        weak,
        Err(SetPasswordRejection::Weak { tries_left: 19, .. })
    ));
    world.set_password(&browser, &proof, STRONG).unwrap();
    let again = world.set_password(&browser, &proof, STRONG);
    assert_eq!(again.unwrap_err(), SetPasswordRejection::AlreadyUsed);
    assert_eq!(world.password_of(ADA), STRONG);
    assert_eq!(world.password_of(BOB), OLD_PASSWORD);
    let names: Vec<_> = world
        .memory
        .rows()
        .events
        .iter()
        .map(|event| event.kind.name())
        .collect();
    assert_eq!(names, ["token_accepted", "password_rejected", "reset_completed"]);
}

#[test]
fn sr27_the_proof_of_a_token_holds_for_ten_minutes() {
    let world = World::new();
    world.make_token("token", ADA);
    let (browser, proof) = world.bring("token", ADA).unwrap();
    world.wait(600);
    let late = world.set_password(&browser, &proof, STRONG);
    assert_eq!(late.unwrap_err(), SetPasswordRejection::Expired);
}

/// SR-23, SR-26: one answer for all that doesn't serve, by the same calls; and nothing is used up by it.
#[test]
fn sr23_sr26_every_refusal_is_one_and_asks_the_same() {
    let world = World::new();
    for (token, address) in [("ada", ADA), ("nobody", NOBODY), ("suspended", SUSPENDED)] {
        world.make_token(token, address);
    }
    let mut asked = Vec::new();
    for (token, address) in [
        ("no such token", ADA),
        ("ada", BOB),
        ("nobody", NOBODY),
        ("suspended", SUSPENDED),
    ] {
        world.memory.rows().asked.clear();
        let refused = world.bring(token, address).map(|_| ());
        assert_eq!(refused.unwrap_err(), TokenRejection::Refused, "{token} {address}");
        asked.push(world.memory.rows().asked.clone());
    }
    assert!(
        asked
            .iter()
            .all(|calls| *calls == ["update", "open_by_token", "load"]),
        "{asked:?}"
    );
    assert!(world.memory.rows().flows.is_empty() && world.memory.rows().events.is_empty());
    assert!(world.bring("ada", ADA).is_ok());
    assert_eq!(
        world.bring("ada", ADA).map(|_| ()).unwrap_err(),
        TokenRejection::Refused,
        "each bringing is of another browser"
    );
}

/// SR-21, SR-27: a second press in the browser that has used the token up finds the flow, and no other browser does.
#[test]
fn sr21_a_second_press_in_the_same_browser_finds_what_the_first_opened() {
    let world = World::new();
    world.make_token("token", ADA);
    let opens = world.token_flow();
    let (browser, proof) = world.bring_from(&opens, "token", ADA).unwrap();
    let opened = world.flow(&browser);
    for _ in 0..3 {
        let (again, same) = world.bring_from(&opens, "token", ADA).unwrap();
        assert_eq!(again.flow_id, browser.flow_id);
        assert_eq!(same.reveal(), proof.reveal());
    }
    assert_eq!(world.flow(&browser), opened);
    assert_eq!(world.memory.rows().events.len(), 1, "it was used once");
    // Whoever knows the flow's name alone.
    for (binding, proof) in [(true, false), (false, true)] {
        let mut others = world.token_flow();
        others.id = opens.id.clone();
        if binding {
            others.binding = opens.binding.clone();
        }
        if proof {
            others.proof = opens.proof.clone();
        }
        let refused = world.bring_from(&others, "token", ADA).map(|_| ());
        assert_eq!(refused.unwrap_err(), TokenRejection::Refused, "{binding} {proof}");
    }
    world.set_password(&browser, &proof, STRONG).unwrap();
    let late = world.bring_from(&opens, "token", ADA).map(|_| ());
    assert_eq!(late.unwrap_err(), TokenRejection::Refused);
}

#[test]
fn sr27_a_second_press_makes_no_proof_live_longer() {
    let world = World::new();
    world.make_token("token", ADA);
    let opens = world.token_flow();
    world.bring_from(&opens, "token", ADA).unwrap();
    world.wait(599);
    world.bring_from(&opens, "token", ADA).unwrap();
    world.wait(1);
    let late = world.bring_from(&opens, "token", ADA).map(|_| ());
    assert_eq!(late.unwrap_err(), TokenRejection::Refused);
}

/// SR-28: there is no code in such a flow, and none can be had.
#[test]
fn sr28_no_code_is_asked_for_or_tried_in_a_flow_of_a_token() {
    let world = World::new();
    world.make_token("token", ADA);
    let (browser, _) = world.bring("token", ADA).unwrap();
    let before = world.flow(&browser);
    assert_eq!(
        world.verify(&browser, "123456").unwrap_err(),
        VerifyRejection::AlreadyUsed
    );
    world.resend(&browser).unwrap_err();
    assert_eq!(world.flow(&browser), before);
    let elsewhere = world.verify(&browser.elsewhere(), "123456");
    assert_eq!(elsewhere.unwrap_err(), VerifyRejection::OtherBrowser);
}

/// SR-5: who brings many is held up.
#[test]
fn sr05_tokens_of_one_client_are_limited() {
    let world = World::with(Limits::default(), ResetSettings::default());
    let held_up = (0..1_000).find_map(|_| match world.bring("no such token", ADA).map(|_| ()) {
        Err(TokenRejection::Limited { retry_after }) => Some(retry_after),
        _ => None,
    });
    world.make_token("token", ADA);
    world.wait(held_up.unwrap().as_secs() + 1);
    assert!(world.bring("token", ADA).is_ok());
}
