//! Random walks over several flows at once: whatever the order, some things never happen (SR-28).

use std::collections::HashMap;

use keyback_core::ids::ChallengeId;
use keyback_core::secret::Proof;
use proptest::prelude::*;

use crate::world::{ADA, BOB, Browser, NOBODY, OLD_PASSWORD, STRONG, WEAK, World, other_than};

#[derive(Clone, Debug)]
enum Step {
    Ask(&'static str),
    /// Whose token, and for which address.
    Bring(&'static str, &'static str),
    Deliver,
    /// Which flow, and whose code: its own when equal.
    Verify(usize, usize),
    VerifyWrong(usize),
    Resend(usize),
    /// Which flow, and whose proof.
    SetPassword(usize, usize, bool),
    Wait(u64),
}

fn person() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(ADA), Just(BOB), Just(NOBODY)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let flow = 0_usize..4;
    let step = prop_oneof![
        2 => person().prop_map(Step::Ask),
        2 => (person(), person()).prop_map(|(of, to)| Step::Bring(of, to)),
        2 => person().prop_map(|person| Step::Bring(person, person)),
        4 => Just(Step::Deliver),
        4 => flow.clone().prop_map(|flow| Step::Verify(flow, flow)),
        1 => (flow.clone(), flow.clone()).prop_map(|(flow, code)| Step::Verify(flow, code)),
        2 => flow.clone().prop_map(Step::VerifyWrong),
        1 => flow.clone().prop_map(Step::Resend),
        3 => (flow.clone(), any::<bool>()).prop_map(|(flow, strong)| Step::SetPassword(flow, flow, strong)),
        1 => (flow.clone(), flow, any::<bool>()).prop_map(|(flow, proof, strong)| Step::SetPassword(flow, proof, strong)),
        2 => prop_oneof![Just(1_u64), Just(61), Just(601)].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

/// One flow as the walk sees it.
struct Walked {
    browser: Browser,
    identifier: &'static str,
    proofs: Vec<Proof>,
    passwords_set: u32,
}

/// Reads the mail: the codes by the challenge that they answer.
fn deliver(world: &World, codes: &mut HashMap<ChallengeId, String>) {
    let mut rows = world.memory.rows();
    let drawn: Vec<_> = rows
        .jobs
        .iter()
        .map(|job| (job.challenge_id.clone(), job.code.clone()))
        .collect();
    rows.deliver();
    let bound = |id: &ChallengeId| {
        rows.challenges
            .get(id)
            .is_some_and(|challenge| challenge.subject.is_some())
    };
    codes.extend(drawn.into_iter().filter(|(id, _)| bound(id)));
}

fn code_of(world: &World, flow: &Walked, codes: &HashMap<ChallengeId, String>) -> Option<String> {
    let challenge_id = world.flow(&flow.browser)?.challenge_id()?.clone();
    codes.get(&challenge_id).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_walk_breaks_the_rules(steps in steps()) {
        let world = World::new();
        let mut flows: Vec<Walked> = Vec::new();
        let mut codes = HashMap::new();
        let mut unused = vec![ADA, BOB];
        for person in [ADA, BOB, NOBODY] {
            world.make_token(person, person);
        }
        for step in steps {
            match step {
                Step::Ask(identifier) if flows.len() < 4 => {
                    let browser = world.ask(identifier);
                    flows.push(Walked { browser, identifier, proofs: Vec::new(), passwords_set: 0 });
                }
                Step::Bring(of, to) if flows.len() < 4 => {
                    let opened = world.bring(of, to);
                    let may = of == to && unused.contains(&to);
                    prop_assert_eq!(opened.is_ok(), may, "a token serves its own address, once");
                    if let Ok((browser, proof)) = opened {
                        unused.retain(|person| *person != to);
                        flows.push(Walked { browser, identifier: to, proofs: vec![proof], passwords_set: 0 });
                    }
                }
                Step::Ask(_) | Step::Bring(..) => {}
                Step::Deliver => deliver(&world, &mut codes),
                Step::Wait(seconds) => world.wait(seconds),
                Step::Resend(flow) => {
                    if let Some(flow) = flows.get(flow) {
                        drop(world.resend(&flow.browser));
                    }
                }
                Step::VerifyWrong(at) => {
                    if let Some(flow) = flows.get(at) {
                        let wrong = code_of(&world, flow, &codes).map_or("000000".to_owned(), |code| other_than(&code));
                        let answer = world.verify(&flow.browser, &wrong);
                        prop_assert!(answer.is_err() || flow.identifier != NOBODY);
                        prop_assert!(answer.is_err(), "a wrong code gives no proof");
                    }
                }
                Step::Verify(at, code_at) => {
                    let code = flows.get(code_at).and_then(|flow| code_of(&world, flow, &codes));
                    if let (Some(flow), Some(code)) = (flows.get_mut(at), code)
                        && let Ok(verified) = world.verify(&flow.browser, &code)
                    {
                        prop_assert_eq!(at, code_at, "the code of one flow opens no other");
                        prop_assert!(flow.identifier != NOBODY);
                        flow.proofs.push(verified.proof);
                    }
                }
                Step::SetPassword(at, proof_at, strong) => {
                    let proof = flows.get(proof_at).and_then(|flow| flow.proofs.last()).cloned();
                    if let (Some(flow), Some(proof)) = (flows.get_mut(at), proof) {
                        let password = if strong { STRONG } else { WEAK };
                        if world.set_password(&flow.browser, &proof, password).is_ok() {
                            prop_assert!(strong && at == proof_at);
                            flow.passwords_set += 1;
                        }
                    }
                }
            }
        }
        for flow in &flows {
            prop_assert!(flow.proofs.len() <= 1, "one proof at most");
            prop_assert!(flow.passwords_set as usize <= flow.proofs.len(), "one password for it");
        }
        prop_assert!(world.memory.rows().challenges.values().all(|challenge| challenge.attempts <= 5));
        for identifier in [ADA, BOB] {
            let set = flows.iter().any(|flow| flow.identifier == identifier && flow.passwords_set > 0);
            prop_assert_eq!(world.password_of(identifier), if set { STRONG } else { OLD_PASSWORD });
        }
    }
}
