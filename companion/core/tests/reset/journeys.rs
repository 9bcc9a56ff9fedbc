//! What visitors live through.

use keyback_core::identifier::Identifier;
use keyback_core::one_time_code::OneTimeCode;
use keyback_core::outcome::{
    CodeStanding, IdentifyRejection, ResendRejection, SetPasswordRejection, StepView, VerifyRejection,
    ViewRejection,
};
use keyback_core::password::Violation;
use keyback_core::rate_limit::Limits;
use keyback_core::reset::{Channels, FlowState, ResetSettings};

use crate::world::{ADA, BOB, OLD_PASSWORD, STRONG, WEAK, World, foreign_proof, other_than};

#[test]
fn a_forgotten_password_is_replaced() {
    let world = World::new();
    let browser = world.ask(ADA);
    assert_eq!(
        world.password_of(ADA),
        OLD_PASSWORD,
        "SR-9: asking changes nothing"
    );
    let code = world.code_for(ADA).unwrap();
    let verified = world.verify(&browser, &code).unwrap();
    let done = world.set_password(&browser, &verified.proof, STRONG).unwrap();
    assert_eq!(world.password_of(ADA), STRONG);
    assert_eq!(world.password_of(BOB), OLD_PASSWORD);
    assert_eq!(done.receipt.sessions_ended, 2);
    let view = world.view(&browser).unwrap();
    assert_eq!(view.client_id.as_deref(), Some("demo-site"));
    assert_eq!(view.interaction.as_deref(), Some("interaction-1"));
    assert_eq!(
        view.step,
        StepView::Done {
            receipt: done.receipt
        }
    );
    assert_eq!(
        world.events(),
        ["reset_requested", "code_accepted", "reset_completed"],
        "SR-62"
    );
}

#[test]
fn the_code_page_says_what_it_knows() {
    let world = World::new();
    let browser = world.ask("Ada@Example.com");
    let code = world.code_for(ADA).unwrap();
    world.verify(&browser, &other_than(&code)).unwrap_err();
    let view = world.view(&browser).unwrap();
    assert_eq!(
        view.identifier,
        Identifier::parse(ADA).unwrap(),
        "SR-32: what was typed, no more"
    );
    let StepView::Code {
        standing,
        attempts_left,
        expires_at,
        resend_at,
        ..
    } = view.step
    else {
        panic!("{:?}", view.step)
    };
    assert_eq!((standing, attempts_left), (CodeStanding::Live, 4));
    let asked_at = world.flow(&browser).unwrap().created_at();
    assert_eq!(
        (
            expires_at.since(asked_at).as_secs(),
            resend_at.since(asked_at).as_secs()
        ),
        (600, 60),
        "SR-17"
    );
}

/// SR-19.
#[test]
fn five_tries_and_no_more() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    for attempts_left in [4, 3, 2, 1, 0] {
        let answer = world.verify(&browser, &other_than(&code));
        assert_eq!(answer.unwrap_err(), VerifyRejection::WrongCode { attempts_left });
    }
    world.asked();
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::Exhausted,
        "the right one too"
    );
    assert_eq!(world.asked(), ["load"], "it is told before anything is counted");
    assert_eq!(world.events().last(), Some(&"attempts_exhausted"));

    world.wait(60);
    world.resend(&browser).unwrap();
    let code = world.code_for(ADA).unwrap();
    assert!(
        world.verify(&browser, &code).is_ok(),
        "another code may be asked for"
    );
}

/// SR-17.
#[test]
fn a_code_lives_ten_minutes() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    world.wait(599);
    let late = world.ask(BOB);
    let late_code = world.code_for(BOB).unwrap();
    assert!(world.verify(&browser, &code).is_ok());
    world.wait(600);
    assert_eq!(
        world.verify(&late, &late_code).unwrap_err(),
        VerifyRejection::Expired
    );
}

/// SR-22: a resend supersedes the code of its own flow, and of no other.
#[test]
fn a_resend_supersedes_its_own_flow_only() {
    let world = World::new();
    let (mine, theirs) = (world.ask(ADA), world.ask(ADA));
    let codes: Vec<_> = world
        .memory
        .rows()
        .deliver()
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    let [my_code, their_code] = codes.as_slice() else {
        panic!("{codes:?}")
    };
    world.wait(60);
    let resent = world.resend(&mine).unwrap();
    let new_code = world.code_for(ADA).unwrap();

    let old_form = world.verify_form(&mine, Some(&mine.challenge_id), my_code);
    assert_eq!(old_form.unwrap_err(), VerifyRejection::Superseded);
    assert_eq!(
        world.verify(&mine, my_code).unwrap_err(),
        VerifyRejection::WrongCode { attempts_left: 4 },
        "the old code is no code of the new challenge"
    );
    assert!(
        world.verify(&theirs, their_code).is_ok(),
        "the other flow's code lives on"
    );
    assert!(
        world
            .verify_form(&mine, Some(&resent.challenge_id), &new_code)
            .is_ok()
    );
}

#[test]
fn the_cool_down_belongs_to_the_flow() {
    let world = World::new();
    let browser = world.ask(ADA);
    let retry_at = world.flow(&browser).unwrap().created_at() + std::time::Duration::from_secs(60);
    assert_eq!(
        world.resend(&browser).unwrap_err(),
        ResendRejection::TooSoon { retry_at }
    );
    world.wait(30);
    world.ask(ADA);
    world.wait(29);
    assert_eq!(
        world.resend(&browser).unwrap_err(),
        ResendRejection::TooSoon { retry_at },
        "59 s"
    );
    world.wait(1);
    assert!(
        world.resend(&browser).is_ok(),
        "a stranger's flow has not moved it"
    );
}

/// SR-21, SR-27: one code, one proof, one password.
#[test]
fn nothing_is_used_twice() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    assert_eq!(
        world.verify(&browser, &code).unwrap_err(),
        VerifyRejection::AlreadyUsed
    );
    world.set_password(&browser, &proof, STRONG).unwrap();
    let again = world.set_password(&browser, &proof, "another-strong-one-7421");
    assert_eq!(again.unwrap_err(), SetPasswordRejection::AlreadyUsed);
    assert_eq!(world.password_of(ADA), STRONG);
}

/// SR-46.
#[test]
fn a_weak_password_keeps_the_proof() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let weak = world.set_password(&browser, &proof, WEAK).unwrap_err();
    assert_eq!(
        weak,
        SetPasswordRejection::Weak {
            violations: vec![Violation::TooShort { min: 15 }, Violation::Common],
            tries_left: 19
        }
    );
    let own = world
        .set_password(&browser, &proof, "ada@example.com")
        .unwrap_err();
    let violations = vec![Violation::UserInfo];
    assert_eq!(
        own,
        SetPasswordRejection::Weak {
            violations,
            tries_left: 18
        }
    );
    assert!(world.set_password(&browser, &proof, STRONG).is_ok());
}

/// The password there is, is told as a rule of its own, and only to whoever has the proof.
#[test]
fn sr45_the_forgotten_password_is_no_new_one() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let unproven = world.set_password(&browser, &foreign_proof(), OLD_PASSWORD);
    assert_eq!(unproven.unwrap_err(), SetPasswordRejection::NotProven);
    let proof = world.verify(&browser, &code).unwrap().proof;
    let foreign = world.set_password(&browser, &foreign_proof(), OLD_PASSWORD);
    assert_eq!(foreign.unwrap_err(), SetPasswordRejection::NotProven);
    world.set_password(&browser, &proof, WEAK).unwrap_err();
    assert!(
        !world.asked().contains(&"has_password"),
        "nothing is compared without the proof, nor what must be another password anyway"
    );
    let same = world.set_password(&browser, &proof, OLD_PASSWORD).unwrap_err();
    let violations = vec![Violation::Current];
    assert_eq!(
        same,
        SetPasswordRejection::Weak {
            violations,
            tries_left: 18
        },
        "it costs a try, as any refused password does"
    );
    let compared = |asked: &[&str]| asked.iter().filter(|what| **what == "has_password").count();
    assert_eq!(compared(&world.asked()), 1);
    world.set_password(&browser, &proof, STRONG).unwrap();
    assert_eq!(compared(&world.asked()), 1);
    assert_eq!(world.password_of(ADA), STRONG);
}

#[test]
fn sr45_a_first_password_takes_the_same_way() {
    let world = World::new();
    world.memory.rows().accounts.get_mut(ADA).unwrap().password = None;
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    world.asked();
    world.set_password(&browser, &proof, STRONG).unwrap();
    assert!(world.asked().contains(&"has_password"));
}

#[test]
fn twenty_weak_passwords_void_the_proof() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    for _ in 0..20 {
        let weak = world.set_password(&browser, &proof, WEAK);
        assert!(matches!(weak, Err(SetPasswordRejection::Weak { .. })));
    }
    let voided = world.set_password(&browser, &proof, STRONG);
    assert_eq!(voided.unwrap_err(), SetPasswordRejection::Exhausted);
    assert_eq!(world.password_of(ADA), OLD_PASSWORD);
}

/// SR-27.
#[test]
fn a_proof_lives_ten_minutes_and_is_the_only_one() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let foreign = world.set_password(&browser, &foreign_proof(), STRONG);
    assert_eq!(foreign.unwrap_err(), SetPasswordRejection::NotProven);
    world.wait(600);
    let late = world.set_password(&browser, &proof, STRONG);
    assert_eq!(late.unwrap_err(), SetPasswordRejection::Expired);
    assert_eq!(world.password_of(ADA), OLD_PASSWORD);
}

/// SR-23.
#[test]
fn another_browser_gets_nowhere() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let thief = browser.elsewhere();
    assert_eq!(world.view(&thief).unwrap_err(), ViewRejection::OtherBrowser);
    assert_eq!(world.resend(&thief).unwrap_err(), ResendRejection::OtherBrowser);
    assert_eq!(
        world.verify(&thief, &code).unwrap_err(),
        VerifyRejection::OtherBrowser
    );
    let proof = world.verify(&browser, &code).unwrap().proof;
    let stolen = world.set_password(&thief, &proof, STRONG);
    assert_eq!(stolen.unwrap_err(), SetPasswordRejection::OtherBrowser);
}

/// SR-23: the code of one flow opens no other, even of the same account.
#[test]
fn a_code_opens_its_own_flow_only() {
    let world = World::new();
    let (one, two) = (world.ask(ADA), world.ask(ADA));
    let codes: Vec<_> = world
        .memory
        .rows()
        .deliver()
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    assert!(matches!(
        world.verify(&two, &codes[0]),
        Err(VerifyRejection::WrongCode { .. })
    ));
    assert!(world.verify(&one, &codes[0]).is_ok());
}

#[test]
fn an_account_that_was_disabled_meanwhile_keeps_its_password() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    world.memory.rows().accounts.get_mut(ADA).unwrap().may_sign_in = false;
    let answer = world.set_password(&browser, &proof, STRONG);
    assert_eq!(answer.unwrap_err(), SetPasswordRejection::AccountUnavailable);
}

#[test]
fn a_channel_without_a_connector_is_refused_before_anything_is_written() {
    let settings = ResetSettings {
        channels: Channels {
            email: true,
            phone: false,
        },
        ..ResetSettings::default()
    };
    let world = World::with(Limits::default(), settings);
    let answer = world.try_ask("+49 170 1234567", "192.0.2.1");
    assert_eq!(answer.err(), Some(IdentifyRejection::ChannelUnavailable));
    assert!(world.asked().is_empty());
}

/// SR-18, SR-27, SR-31: what rests tells no code, no proof and no binding.
#[test]
fn what_rests_tells_no_secret() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let rows = world.memory.rows();
    let json = &rows.flows[&browser.flow_id];
    assert!(
        !json.contains(browser.binding.reveal().as_str()) && !json.contains(proof.reveal().as_str()),
        "{json}"
    );
    assert!(OneTimeCode::parse(&code).is_ok() && !json.contains(&code));
    let events = format!("{:?}", rows.events);
    assert!(!events.contains("ada@") && !events.contains(&code), "{events}");
}

#[test]
fn a_flow_survives_its_rest() {
    let world = World::new();
    let browser = world.ask(ADA);
    let code = world.code_for(ADA).unwrap();
    let proof = world.verify(&browser, &code).unwrap().proof;
    let flow = world.flow(&browser).unwrap();
    assert!(matches!(flow.state(), FlowState::AwaitingPassword(state) if state.tries == 0));
    assert_eq!((flow.version(), flow.replaces_version()), (1, 0));
    world.set_password(&browser, &proof, STRONG).unwrap();
    assert_eq!(world.flow(&browser).unwrap().version(), 2);
}
