//! Every state meets every input (SR-28).

use std::fmt::Debug;
use std::io::Write as _;

use keyback_core::outcome::{StepView, VerifyRejection};
use keyback_core::reset::FlowState;
use keyback_core::secret::Proof;

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
    /// A one-time token was brought; inputs use a code of another flow.
    OpenedByToken,
    /// Twenty weak passwords later.
    ProofExhausted,
    /// Ten minutes after the right code.
    ProofExpired,
    /// The password is set.
    Completed,
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
    OpenedByToken,
    ProofExhausted,
    ProofExpired,
    Completed,
    FlowExpired,
    Unknown,
];
const INPUTS: [Input; 7] = [
    RightCode,
    WrongCode,
    Resend,
    StrongPassword,
    WeakPassword,
    ForeignProof,
    OtherBrowser,
];

/// What each answers: `proof`, `sent` and `set` move the flow on; all others are rejections, of which `Weak` counts a try
/// and the others leave the flow as it was.
#[rustfmt::skip]
const TABLE: [[&str; 7]; 13] = [
    // RightCode      WrongCode        Resend           StrongPassword   WeakPassword     ForeignProof     OtherBrowser
    ["proof",         "WrongCode",     "TooSoon",       "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // CodeSent
    ["proof",         "WrongCode",     "sent",          "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // CodeCooled
    ["Exhausted",     "Exhausted",     "sent",          "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // CodeExhausted
    ["Expired",       "Expired",       "sent",          "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // CodeExpired
    ["Superseded",    "Superseded",    "sent",          "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // Superseded
    ["WrongCode",     "WrongCode",     "sent",          "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // Decoy
    ["AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "set",           "Weak",          "NotProven",     "OtherBrowser"], // Proven
    ["AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "set",           "Weak",          "NotProven",     "OtherBrowser"], // OpenedByToken
    ["AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "Exhausted",     "Exhausted",     "NotProven",     "OtherBrowser"], // ProofExhausted
    ["AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "Expired",       "Expired",       "Expired",       "OtherBrowser"], // ProofExpired
    ["AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "AlreadyUsed",   "OtherBrowser"], // Completed
    ["Expired",       "Expired",       "Expired",       "NotProven",     "NotProven",     "NotProven",     "OtherBrowser"], // FlowExpired
    ["UnknownFlow",   "UnknownFlow",   "UnknownFlow",   "UnknownFlow",   "UnknownFlow",   "UnknownFlow",   "UnknownFlow"], // Unknown
];

#[test]
fn sr28_every_state_meets_every_input() {
    let mut met = 0;
    for (state, row) in STATES.into_iter().zip(TABLE) {
        for (input, expected) in INPUTS.into_iter().zip(row) {
            let scene = Scene::at(state);
            let before = scene.rest();
            let answer = scene.send(input);
            assert_eq!(answer, expected, "{state:?} meets {input:?}");
            match answer.as_str() {
                "proof" => assert!(matches!(scene.state(), FlowState::AwaitingPassword(_))),
                "sent" => {
                    assert!(matches!(scene.state(), FlowState::AwaitingCode(_)) && scene.rest() != before);
                }
                "set" => assert!(matches!(scene.state(), FlowState::Completed(_))),
                "Weak" => {
                    assert!(matches!(scene.state(), FlowState::AwaitingPassword(state) if state.tries == 1));
                }
                _ => assert_eq!(
                    scene.rest(),
                    before,
                    "{state:?} meets {input:?}: the flow stays as it was"
                ),
            }
            met += 1;
        }
    }
    let (states, inputs) = (STATES.len(), INPUTS.len());
    assert_eq!(met, states * inputs);
    tell(&format!(
        "table of the reset: {states} states × {inputs} requests, {met} in all, each answered as written"
    ));
}

/// Tells it on the test's output, and in the file of counts that `tests/run` shows at its end.
fn tell(counted: &str) {
    println!("{counted}");
    if let Some(path) = std::env::var_os("KEYBACK_COUNTS") {
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(format!("{counted}\n").as_bytes()).unwrap();
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
                .map_or_else(|no| name(&no), |view| page(&view.step)),
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
        (OpenedByToken, "password, live, 20 left"),
        (ProofExhausted, "password, exhausted, 0 left"),
        (ProofExpired, "password, expired, 20 left"),
        (Completed, "done"),
        (FlowExpired, "expired"),
        (Unknown, "UnknownFlow"),
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
        StepView::Expired => "expired".to_owned(),
    }
}

/// What an answer is called in the table.
fn said<T, R: Debug>(answer: Result<T, R>, moved: &str) -> String {
    answer.map_or_else(|rejection| name(&rejection), |_| moved.to_owned())
}

/// The name of a rejection, without what it holds.
fn name(rejection: &impl Debug) -> String {
    let text = format!("{rejection:?}");
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
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
            OpenedByToken => {
                world.make_token("token", ADA);
                (self.browser, self.proof) = world.bring("token", ADA).unwrap();
            }
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
            FlowExpired => world.wait(3_600),
            Unknown => world.memory.rows().flows.clear(),
        }
    }

    fn send(&self, input: Input) -> String {
        let Self {
            world,
            browser,
            code,
            proof,
        } = self;
        let form = Some(&browser.challenge_id);
        match input {
            RightCode => said(world.verify_form(browser, form, code), "proof"),
            WrongCode => said(world.verify_form(browser, form, &other_than(code)), "proof"),
            Resend => said(world.resend(browser), "sent"),
            StrongPassword => said(world.set_password(browser, proof, STRONG), "set"),
            WeakPassword => said(world.set_password(browser, proof, WEAK), "set"),
            ForeignProof => said(
                world.set_password(
                    browser,
                    &Proof::issue(&keyback_core::random::SystemRandom),
                    STRONG,
                ),
                "set",
            ),
            OtherBrowser => said(world.verify(&browser.elsewhere(), code), "proof"),
        }
    }

    fn state(&self) -> FlowState {
        self.world.flow(&self.browser).unwrap().state().clone()
    }

    fn rest(&self) -> Option<String> {
        self.world.memory.rows().flows.get(&self.browser.flow_id).cloned()
    }
}
