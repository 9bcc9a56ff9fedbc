//! Two people, their browsers and their flows, and what each request to them may do.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keyback_tests::{Browser, Form, NEW_PASSWORD, Page, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::concrete::{ASK, CODE, Concrete, PASSWORD, RESEND, TOKEN};
use super::moves::{ByApp, Move, Request, Twist, Typed, Who};
use super::side::{Brought, Flow, Side, cookie_name, held_by, parameter};
use crate::api::{self, BACKEND};

/// What came of all that was sent.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Moves that were tried at a state.
    pub(super) tried: usize,
    pub(super) proofs: usize,
    /// Of them, those that a token of an app's gave.
    pub(super) by_tokens: usize,
    pub(super) passwords: usize,
    /// Codes of an app's that were right at the API.
    pub(super) verified: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.tried += other.tried;
        self.proofs += other.proofs;
        self.by_tokens += other.by_tokens;
        self.passwords += other.passwords;
        self.verified += other.verified;
    }
}

pub(super) struct World {
    pub(super) app: Arc<TestApp>,
    /// A browser that was nowhere.
    stranger: Browser,
    /// A form of ours: requests are told to come from where it stood.
    form: Form,
    pub(super) ada: Side,
    pub(super) ben: Side,
    /// An address without an account.
    pub(super) nobody: String,
    /// Every binding and proof that a browser was given.
    known: HashSet<String>,
    /// How many passwords were set.
    passwords: usize,
}

/// The proof that a request may bring.
#[derive(Debug, PartialEq)]
enum MayProve {
    Nothing,
    /// That of the flow of this id.
    Flow(String),
    /// That of a flow which begins with it.
    NewFlow,
}

impl World {
    /// Two people who have asked for a code each.
    pub(super) async fn begin(app: &Arc<TestApp>) -> Self {
        let stranger = app.browser();
        let (ada, form) = Side::asks(app, &stranger, Who::Ada, "ada@example.com").await;
        let (ben, _) = Side::asks(app, &stranger, Who::Ben, "ben@example.com").await;
        let known = [&ada, &ben].map(|side| side.flow.binding.clone());
        Self {
            app: Arc::clone(app),
            stranger,
            form,
            ada,
            ben,
            nobody: "nobody@example.com".to_owned(),
            known: HashSet::from(known),
            passwords: 0,
        }
    }

    /// The world as it is now, for those in it: it goes on without this one where the rows are put back.
    pub(super) fn as_it_is(&self) -> Self {
        Self {
            app: Arc::clone(&self.app),
            stranger: self.stranger.clone(),
            form: self.form.clone(),
            ada: self.ada.as_it_is(),
            ben: self.ben.as_it_is(),
            nobody: self.nobody.clone(),
            known: self.known.clone(),
            passwords: self.passwords,
        }
    }

    /// A password that may be, and that nobody has: who is refused it has no proof.
    pub(super) fn strong(&self) -> String {
        format!("{NEW_PASSWORD} {}", self.passwords)
    }

    pub(super) fn side(&self, who: Who) -> &Side {
        match who {
            Who::Ada => &self.ada,
            Who::Ben => &self.ben,
        }
    }

    fn side_mut(&mut self, who: Who) -> &mut Side {
        match who {
            Who::Ada => &mut self.ada,
            Who::Ben => &mut self.ben,
        }
    }

    /// A move to the letter: two that are alike in this are one.
    pub(super) fn letters(&self, step: Move) -> String {
        match step {
            Move::Sent(who, request, twist) => {
                let Concrete {
                    flow,
                    cookie,
                    is_own,
                    path,
                    query,
                    fields,
                } = self.concrete(who, request, twist);
                let jar = match is_own {
                    true => format!("{who:?}"),
                    false => format!("{:?}", flow.map(|whose| &self.side(whose).flow.id).zip(cookie)),
                };
                format!("{jar} {path}?{query} {fields:?}")
            }
            Move::App(who, ByApp::Verify(typed)) => {
                format!("{who:?} {}", self.side(who).typed(typed, self.side(who.other())))
            }
            step => format!("{step:?}"),
        }
    }

    /// Lets a move happen.
    ///
    /// # Panics
    ///
    /// When it does what it must not.
    pub(super) async fn send(&mut self, step: Move, tally: &mut Tally) {
        match step {
            Move::Wait(seconds) => self.app.advance(Duration::from_secs(seconds)),
            Move::Sweep => {
                self.app.companion.sweep().await.unwrap();
            }
            Move::ThreeWrong(who) => {
                for _ in 0..3 {
                    let wrong = self.concrete(who, Request::Code(Typed::Wrong), Twist::Nothing);
                    self.go(who, wrong, tally).await;
                }
            }
            Move::Sent(who, request, twist) => {
                let concrete = self.concrete(who, request, twist);
                self.go(who, concrete, tally).await;
            }
            Move::App(who, by_app) => self.call(who, by_app, tally).await,
            Move::Brings(who) => self.bring(who).await,
        }
    }

    /// Sends it, and holds what came of it against what it may do.
    async fn go(&mut self, who: Who, request: Concrete, tally: &mut Tally) {
        let may_prove = self.may_prove(who, &request);
        let may_set = request.flow.filter(|&whose| self.may_set(whose, &request));
        let browser = if request.is_own {
            self.side(who).browser.clone()
        } else {
            self.browser_with(&request)
        };
        let address = format!("{}?{}", request.path, request.query);
        let page = match &request.fields {
            Some(fields) => {
                let mut form = self.form.clone();
                form.action = self.app.url.join(&address).unwrap();
                let fields = fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()));
                form.fields = fields.collect();
                browser.post_once(&form).await
            }
            None => browser.get_once(&address).await,
        };
        let told = format!("{who:?} {address} {:?}", request.fields);
        assert!(page.status < 500, "{told}: {}", page.status);
        self.take_proof(&browser, &may_prove, &told, tally);
        self.take_passwords(may_set, &told, tally).await;
        if request.is_own {
            self.take_flow(who, &request, &page).await;
        }
    }

    /// A proof that the browser was given.
    fn take_proof(&mut self, browser: &Browser, may_prove: &MayProve, told: &str, tally: &mut Tally) {
        let cookies = browser.cookie_names(&self.app.url);
        for flow in cookies.iter().filter_map(|name| name.strip_prefix("kb_flow_")) {
            let held = held_by(browser, &self.app.url, flow).unwrap();
            let Some(proof) = held.get(2).filter(|proof| !self.known.contains(*proof)) else {
                continue;
            };
            match may_prove {
                MayProve::Nothing => panic!("{told}: a proof of {flow}"),
                MayProve::Flow(id) => assert_eq!(id, flow, "{told}"),
                MayProve::NewFlow => tally.by_tokens += 1,
            }
            self.known.extend([held[1].clone(), proof.clone()]);
            let mut sides = [&mut self.ada, &mut self.ben].into_iter();
            if let Some(side) = sides.find(|side| side.flow.id == flow) {
                assert_eq!(
                    side.flow.proof.replace(proof.clone()),
                    None,
                    "{told}: a second proof"
                );
            }
            tally.proofs += 1;
        }
    }

    /// The passwords that were set, by the proof of whose flow they may have been.
    async fn take_passwords(&mut self, may_set: Option<Who>, told: &str, tally: &mut Tally) {
        for owner in [Who::Ada, Who::Ben] {
            let hash = self.app.password_hash(&self.side(owner).user_id).await.unwrap();
            if self.side(owner).hash == hash {
                continue;
            }
            self.side_mut(owner).hash = hash;
            let by = may_set.unwrap_or_else(|| panic!("{told}: the password of {owner:?}"));
            let flow = &mut self.side_mut(by).flow;
            assert_eq!(flow.of, Some(owner), "{told}: the password of somebody else");
            assert!(!std::mem::replace(&mut flow.is_done, true), "{told}: set twice");
            tally.passwords += 1;
            self.passwords += 1;
        }
    }

    /// The flow that has begun in the browser, or the mail that came for the one there was.
    async fn take_flow(&mut self, who: Who, request: &Concrete, page: &Page) {
        let Some(to) = page.location().filter(|_| request.fields.is_some()) else {
            return;
        };
        let (app, browser) = (Arc::clone(&self.app), self.side(who).browser.clone());
        match request.path {
            RESEND if to.query().is_some_and(|query| query.contains("n=sent")) => {
                let address = self.address_of(self.side(who).flow.of);
                let flow = &mut self.side_mut(who).flow;
                flow.reads_the_mail(&app, &browser, &address).await;
            }
            ASK if to.path() == CODE => {
                let mut people = [Who::Ada, Who::Ben].into_iter();
                let of = people.find(|&of| request.has("identifier", &self.side(of).address));
                let address = self.address_of(of);
                let flow = Flow::begun(&app, &browser, &to, of, &address).await;
                self.known.insert(flow.binding.clone());
                self.side_mut(who).flow = flow;
            }
            TOKEN if to.path() == PASSWORD => {
                // Pressed again it leads to the flow that it has opened, whatever that has come to.
                let of_before = self
                    .side(who)
                    .brought
                    .as_ref()
                    .is_some_and(|brought| brought.is_used);
                if !of_before {
                    let flow = Flow::held(&app, &browser, &to, Some(who));
                    let side = self.side_mut(who);
                    side.flow = flow;
                    side.brought.as_mut().unwrap().is_used = true;
                }
            }
            _ => {}
        }
    }

    fn address_of(&self, of: Option<Who>) -> String {
        of.map_or(&self.nobody, |of| &self.side(of).address).clone()
    }

    /// An app sends a code to a person's address, or asks whether one is right.
    async fn call(&mut self, who: Who, by_app: ByApp, tally: &mut Tally) {
        let (app, address) = (Arc::clone(&self.app), self.side(who).address.clone());
        let token = api::machine_token(&app, BACKEND).await;
        let path = "/api/verification-codes";
        match by_app {
            ByApp::Send => {
                let body = json!({ "email": address });
                let sent = api::call(&app, &token, Method::POST, path, body).await;
                if sent.status == StatusCode::NO_CONTENT {
                    self.side_mut(who).of_app = Some(app.last_code_for(&address).await);
                }
            }
            ByApp::Verify(typed) => {
                let code = self.side(who).typed(typed, self.side(who.other()));
                let body = json!({ "email": address, "verificationCode": code });
                let path = format!("{path}/verify");
                let verified = api::call(&app, &token, Method::POST, &path, body).await;
                if verified.status == StatusCode::NO_CONTENT {
                    let of_app = self.side_mut(who).of_app.take();
                    assert_eq!(of_app, Some(code), "{who:?}: an app was told that it is right");
                    tally.verified += 1;
                } else {
                    assert!(verified.status.is_client_error(), "{verified:?}");
                }
            }
        }
        self.take_passwords(None, "a call of an app", tally).await;
    }

    /// An app makes a token and sends the person here with it.
    async fn bring(&mut self, who: Who) {
        let (app, address) = (Arc::clone(&self.app), self.side(who).address.clone());
        let token = api::machine_token(&app, BACKEND).await;
        let body = json!({ "email": address, "context": { "interactionEvent": "ForgotPassword" } });
        let made = api::call(&app, &token, Method::POST, "/api/one-time-tokens", body).await;
        let asked = app.site.client.forgot_password().login_hint(&*address);
        let begun = asked
            .one_time_token(made.body["token"].as_str().unwrap())
            .start()
            .await
            .unwrap();
        let mut tab = self.side(who).browser.clone();
        tab.open(begun.url.as_str()).await;
        tab.assert_at(TOKEN);
        self.side_mut(who).brought = Some(Brought {
            interaction: parameter(&tab.page().url, "i"),
            is_used: false,
        });
    }

    fn browser_with(&self, request: &Concrete) -> Browser {
        let browser = self.stranger.of_another();
        if let (Some(whose), Some(parts)) = (request.flow, &request.cookie) {
            let name = cookie_name(&self.side(whose).flow.id);
            browser.put_cookie(&self.app.url, &name, &parts.join("."));
        }
        browser
    }

    /// Whether a request may bring a proof: it carries the binding of the flow, and its newest code; or it comes from the
    /// browser that an app has sent here with a token, which was not used.
    fn may_prove(&self, who: Who, request: &Concrete) -> MayProve {
        let newest = |flow: &Flow| flow.codes.last().is_some_and(|code| request.has("code", code));
        let binds = |flow: &Flow| {
            let mut held = request.cookie.iter();
            held.any(|parts| parts.get(1) == Some(&flow.binding))
        };
        match (request.path, request.flow, &self.side(who).brought) {
            (CODE, Some(whose), _) => {
                let flow = &self.side(whose).flow;
                match binds(flow) && newest(flow) && flow.proof.is_none() {
                    true => MayProve::Flow(flow.id.clone()),
                    false => MayProve::Nothing,
                }
            }
            (TOKEN, _, Some(brought)) if request.fields.is_some() && request.is_own && !brought.is_used => {
                let names_it = request.query == format!("i={}", brought.interaction);
                if names_it {
                    MayProve::NewFlow
                } else {
                    MayProve::Nothing
                }
            }
            _ => MayProve::Nothing,
        }
    }

    /// Whether a request may set a password: it carries the flow's binding and its proof, and a password that may be.
    fn may_set(&self, whose: Who, request: &Concrete) -> bool {
        let flow = &self.side(whose).flow;
        let proves = request.cookie.as_ref().is_some_and(|parts| {
            parts.get(1) == Some(&flow.binding)
                && parts.get(2).is_some()
                && parts.get(2) == flow.proof.as_ref()
        });
        proves && request.has("password", &self.strong()) && !flow.is_done && request.path == PASSWORD
    }
}
