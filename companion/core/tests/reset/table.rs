//! Every state meets every input (SR-28).

use keyback_core::outcome::{StepView, VerifyRejection};
use keyback_core::reset::{CloseReason, FlowState};
use keyback_core::secret::Proof;
use keyback_core::time::Clock as _;

use crate::world::{ADA, Browser, NOBODY, STRONG, WEAK, World, foreign_proof, other_than};

/// Where a flow can stand, with all that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// A code was sent just now.
    CodeSent,
    /// The cool-down is over.
    CodeCooled,
    /// Five wrong codes later.
    CodeExhausted,
    /// Ten minutes later.
    CodeExpired,
    /// A newer code was sent, and is 60 s old; inputs use the first one's form.
    Superseded,
    /// As `CodeCooled`, for an identifier without an account.
    Decoy,
    /// The code was right.
    Proven,
    /// Twenty weak passwords later.
    ProofExhausted,
    /// Ten minutes after the right code.
    ProofExpired,
    /// The password is set.
    Completed,
    /// The account was changed by another way.
    Closed,
    /// An hour after a code was sent that nobody used.
    FlowExpired,
    /// Swept.
    Unknown,
}

/// What a browser can send.
#[derive(Clone, Copy, Debug)]
enum Input {
    RightCode,
    WrongCode,
    Resend,
    StrongPassword,
    WeakPassword,
    ForeignProof,
    OtherBrowser,
    Close,
}

use Input::*;
use State::*;

const STATES: [State; 13] = [
    CodeSent,
    CodeCooled,
    CodeExhausted,
    CodeExpired,
    Superseded,
    Decoy,
    Proven,
    ProofExhausted,
    ProofExpired,
    Completed,
    Closed,
    FlowExpired,
    Unknown,
];
const INPUTS: [Input; 8] = [
    RightCode,
    WrongCode,
    Resend,
    StrongPassword,
    WeakPassword,
    ForeignProof,
    OtherBrowser,
    Close,
];

/// What each answers: `proof`, `sent`, `set` and `closed` move the flow on, `password-weak` counts a try, all others are
/// message keys of rejections and leave the flow as it was.
#[rustfmt::skip]
const TABLE: [[&str; 8]; 13] = [
    // RightCode            WrongCode            Resend               StrongPassword        WeakPassword          ForeignProof          OtherBrowser          Close
    ["proof",               "code-wrong",        "resend-too-soon",   "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // CodeSent
    ["proof",               "code-wrong",        "sent",              "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // CodeCooled
    ["code-exhausted",      "code-exhausted",    "sent",              "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // CodeExhausted
    ["code-expired",        "code-expired",      "sent",              "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // CodeExpired
    ["code-superseded",     "code-superseded",   "sent",              "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // Superseded
    ["code-wrong",          "code-wrong",        "sent",              "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // Decoy
    ["code-already-used",   "code-already-used", "code-already-used", "set",                "password-weak",      "proof-missing",      "flow-other-browser", "closed"], // Proven
    ["code-already-used",   "code-already-used", "code-already-used", "proof-exhausted",    "proof-exhausted",    "proof-missing",      "flow-other-browser", "closed"], // ProofExhausted
    ["code-already-used",   "code-already-used", "code-already-used", "proof-expired",      "proof-expired",      "proof-expired",      "flow-other-browser", "closed"], // ProofExpired
    ["code-already-used",   "code-already-used", "code-already-used", "flow-already-done",  "flow-already-done",  "flow-already-done",  "flow-other-browser", "over"],   // Completed
    ["flow-closed",         "flow-closed",       "flow-closed",       "flow-closed",        "flow-closed",        "flow-closed",        "flow-other-browser", "over"],   // Closed
    ["code-expired",        "code-expired",      "flow-expired",      "proof-missing",      "proof-missing",      "proof-missing",      "flow-other-browser", "closed"], // FlowExpired
    ["flow-unknown",        "flow-unknown",      "flow-unknown",      "flow-unknown",       "flow-unknown",       "flow-unknown",       "flow-unknown",       "over"],   // Unknown
];

#[test]
fn every_state_meets_every_input() {
    for (state, row) in STATES.into_iter().zip(TABLE) {
        for (input, expected) in INPUTS.into_iter().zip(row) {
            let scene = Scene::at(state);
            let before = scene.rest();
            let answer = scene.send(input);
            assert_eq!(answer, expected, "{state:?} meets {input:?}");
            match answer {
                "proof" => assert!(matches!(scene.state(), FlowState::AwaitingPassword(_))),
                "sent" => {
                    assert!(matches!(scene.state(), FlowState::AwaitingCode(_)) && scene.rest() != before);
                }
                "set" => assert!(matches!(scene.state(), FlowState::Completed(_))),
                "closed" => assert!(matches!(scene.state(), FlowState::Closed(_))),
                "password-weak" => {
                    assert!(matches!(scene.state(), FlowState::AwaitingPassword(state) if state.tries == 1));
                }
                _ => assert_eq!(
                    scene.rest(),
                    before,
                    "{state:?} meets {input:?}: the flow stays as it was"
                ),
            }
        }
    }
}

/// What the page of each state shows; a decoy's shows what a real one's does.
#[test]
fn every_state_has_its_page() {
    let pages = STATES.map(|state| {
        let scene = Scene::at(state);
        (
            state,
            scene
                .world
                .view(&scene.browser)
                .map_or_else(|no| no.message_key().to_owned(), |view| page(&view.step)),
        )
    });
    let expected = [
        (CodeSent, "code, live, 5 left"),
        (CodeCooled, "code, live, 5 left"),
        (CodeExhausted, "code, exhausted, 0 left"),
        (CodeExpired, "code, expired, 5 left"),
        (Superseded, "code, live, 5 left"),
        (Decoy, "code, live, 5 left"),
        (Proven, "password, live, 20 left"),
        (ProofExhausted, "password, exhausted, 0 left"),
        (ProofExpired, "password, expired, 20 left"),
        (Completed, "done"),
        (Closed, "closed"),
        (FlowExpired, "expired"),
        (Unknown, "flow-unknown"),
    ];
    assert_eq!(pages, expected.map(|(state, page)| (state, page.to_owned())));
}

fn page(step: &StepView) -> String {
    match step {
        StepView::Code {
            standing,
            attempts_left,
            ..
        } => format!("code, {standing:?}, {attempts_left} left").to_lowercase(),
        StepView::Password {
            standing, tries_left, ..
        } => format!("password, {standing:?}, {tries_left} left").to_lowercase(),
        StepView::Done { .. } => "done".to_owned(),
        StepView::Closed { .. } => "closed".to_owned(),
        StepView::Expired => "expired".to_owned(),
    }
}

/// A flow in a state, and what its browser holds.
struct Scene {
    world: World,
    browser: Browser,
    code: String,
    proof: Proof,
}

impl Scene {
    fn at(state: State) -> Self {
        let world = World::new();
        let identifier = if state == Decoy { NOBODY } else { ADA };
        let browser = world.ask(identifier);
        let drawn = world.memory.rows().jobs[0].code.clone();
        world.code_for(identifier);
        let mut scene = Self {
            world,
            browser,
            code: drawn,
            proof: foreign_proof(),
        };
        scene.move_to(state);
        scene
    }

    fn move_to(&mut self, state: State) {
        let world = &self.world;
        match state {
            CodeSent => {}
            CodeCooled | Decoy => world.wait(60),
            CodeExhausted => {
                for _ in 0..5 {
                    let wrong = world.verify(&self.browser, &other_than(&self.code));
                    assert!(matches!(wrong, Err(VerifyRejection::WrongCode { .. })));
                }
                world.wait(60);
            }
            CodeExpired => world.wait(600),
            Superseded => {
                world.wait(60);
                world.resend(&self.browser).unwrap();
                world.code_for(ADA);
                world.wait(60);
            }
            Proven => self.proof = world.verify(&self.browser, &self.code).unwrap().proof,
            ProofExhausted => {
                self.move_to(Proven);
                for _ in 0..20 {
                    self.world
                        .set_password(&self.browser, &self.proof, WEAK)
                        .unwrap_err();
                }
            }
            ProofExpired => {
                self.move_to(Proven);
                self.world.wait(600);
            }
            Completed => {
                self.move_to(Proven);
                self.world
                    .set_password(&self.browser, &self.proof, STRONG)
                    .unwrap();
            }
            Closed => {
                self.move_to(Proven);
                assert_eq!(self.send(Close), "closed");
            }
            FlowExpired => world.wait(3_600),
            Unknown => world.memory.rows().flows.clear(),
        }
    }

    fn send(&self, input: Input) -> &'static str {
        let Self {
            world,
            browser,
            code,
            proof,
        } = self;
        let form = Some(&browser.challenge_id);
        match input {
            RightCode => world
                .verify_form(browser, form, code)
                .map_or_else(|no| no.message_key(), |_| "proof"),
            WrongCode => world
                .verify_form(browser, form, &other_than(code))
                .map_or_else(|no| no.message_key(), |_| "proof"),
            Resend => world
                .resend(browser)
                .map_or_else(|no| no.message_key(), |_| "sent"),
            StrongPassword => world
                .set_password(browser, proof, STRONG)
                .map_or_else(|no| no.message_key(), |_| "set"),
            WeakPassword => world
                .set_password(browser, proof, WEAK)
                .map_or_else(|no| no.message_key(), |_| "set"),
            ForeignProof => world
                .set_password(
                    browser,
                    &Proof::issue(&keyback_core::random::SystemRandom),
                    STRONG,
                )
                .map_or_else(|no| no.message_key(), |_| "set"),
            OtherBrowser => world
                .verify(&browser.elsewhere(), code)
                .map_or_else(|no| no.message_key(), |_| "proof"),
            Close => {
                let closed = world
                    .flow(browser)
                    .and_then(|flow| flow.close(CloseReason::AccountChanged, world.clock.now()));
                closed.map_or("over", |flow| {
                    world.memory.rows().swap(&flow);
                    "closed"
                })
            }
        }
    }

    fn state(&self) -> FlowState {
        self.world.flow(&self.browser).unwrap().state().clone()
    }

    fn rest(&self) -> Option<String> {
        self.world.memory.rows().flows.get(&self.browser.flow_id).cloned()
    }
}
