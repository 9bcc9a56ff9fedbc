//! Two people, their browsers and their flows, and what each request to them may do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyback_core::time::Clock as _;
use keyback_tests::{Browser, Form, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use url::Url;

use super::moves::{Move, Request, Twist, Typed, Who};
use super::rests::Rests;

const STRONG: &str = NEW_PASSWORD;
const WEAK: &str = "password";

/// What came of all that was sent.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: usize,
    pub(super) proofs: usize,
    pub(super) passwords: usize,
}

/// One person's reset.
struct Side {
    browser: Browser,
    user_id: String,
    address: String,
    flow: String,
    /// What the code page's form says, the newest last.
    challenges: Vec<String>,
    codes: Vec<String>,
    binding: String,
    proof: Option<String>,
    hash: String,
    /// Whether its password was set.
    is_done: bool,
}

pub(super) struct World<'a> {
    app: &'a TestApp,
    /// A browser that was nowhere.
    stranger: &'a Browser,
    /// A form of ours: requests are told to come from where it stood.
    form: Form,
    ada: Side,
    ben: Side,
}

/// A request as it goes over the wire.
struct Concrete {
    /// Whose flow the address names.
    flow: Option<Who>,
    /// What the cookie of that flow holds, by its parts; none where the browser has no such cookie.
    cookie: Option<Vec<String>>,
    /// With the browser's own jar; else with a jar that holds that cookie alone.
    is_own: bool,
    path: String,
    query: String,
    /// None is a look.
    fields: Option<Vec<(String, String)>>,
}

impl<'a> World<'a> {
    /// Two people who have asked for a code each, and then these moves.
    pub(super) async fn after(
        app: &'a TestApp,
        stranger: &'a Browser,
        path: &[Move],
        tally: &mut Tally,
    ) -> Self {
        static PEOPLE: AtomicUsize = AtomicUsize::new(0);
        let place = PEOPLE.fetch_add(1, Ordering::Relaxed);
        let (ada, form) = Side::asks(app, stranger, format!("ada{place}@example.com")).await;
        let (ben, _) = Side::asks(app, stranger, format!("ben{place}@example.com")).await;
        let mut world = Self {
            app,
            stranger,
            form,
            ada,
            ben,
        };
        for &step in path {
            world.send(step, tally).await;
        }
        world
    }

    fn side(&self, who: Who) -> &Side {
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
        }
    }

    fn concrete(&self, who: Who, request: Request, twist: Twist) -> Concrete {
        let other = match who {
            Who::Ada => Who::Ben,
            Who::Ben => Who::Ada,
        };
        let (own, others) = (self.side(who), self.side(other));
        let target = match twist {
            Twist::OthersFlow | Twist::OthersFlowOwnSecrets => Some(other),
            Twist::NoFlow => None,
            _ => Some(who),
        };
        let cookie = match twist {
            Twist::NoCookie | Twist::OthersFlow | Twist::NoFlow => None,
            Twist::OthersSecrets => Some(others.secrets()),
            Twist::OthersProof => {
                let mut parts = own.secrets();
                parts.truncate(2);
                parts.push(others.proof.clone().unwrap_or_else(|| others.binding.clone()));
                Some(parts)
            }
            _ => Some(own.secrets()),
        };
        let at = target.map_or(own, |who| self.side(who));
        let (path, field) = match request {
            Request::Code(_) => ("/forgot-password/code", Some(("code", at.typed(request, others)))),
            Request::Resend => ("/forgot-password/code/resend", None),
            Request::StrongPassword => ("/forgot-password/password", Some(("password", STRONG.to_owned()))),
            Request::WeakPassword => ("/forgot-password/password", Some(("password", WEAK.to_owned()))),
            Request::Look(path) => (path, None),
        };
        let mut fields: Vec<(String, String)> = field
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        match twist {
            Twist::NoFields => fields.clear(),
            Twist::FieldTwice => fields.extend(fields.clone()),
            Twist::MoreFields => fields.extend(self.more_fields(others, field_name(request))),
            _ => {}
        }
        let path = match (twist, request) {
            (Twist::OtherStep, Request::Code(_)) => "/forgot-password/password",
            (Twist::OtherStep, _) => "/forgot-password/code",
            _ => path,
        };
        let challenge = match twist {
            Twist::NoChallenge => None,
            Twist::OthersChallenge => others.challenges.last(),
            _ => at.challenges.last(),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(target.map(|who| ("f", &self.side(who).flow)));
        query.extend_pairs(challenge.map(|id| ("c", id)));
        Concrete {
            flow: target,
            is_own: twist.keeps_the_cookies(),
            cookie,
            path: path.to_owned(),
            query: query.finish(),
            fields: (!matches!(request, Request::Look(_))).then_some(fields),
        }
    }

    /// What no form of ours has at that step.
    fn more_fields(&self, others: &Side, has: &str) -> Vec<(String, String)> {
        let mut more = vec![
            ("identifier", others.address.clone()),
            ("user_id", others.user_id.clone()),
            ("subject", others.user_id.clone()),
            ("f", others.flow.clone()),
            ("proof", others.proof.clone().unwrap_or_default()),
            ("binding", others.binding.clone()),
            ("verified", "true".to_owned()),
        ];
        if has != "code" {
            more.push(("code", self.ada.codes.last().cloned().unwrap_or_default()));
        }
        if has != "password" {
            more.push(("password", STRONG.to_owned()));
        }
        more.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Sends it, and holds what came of it against what it may do.
    async fn go(&mut self, who: Who, request: Concrete, tally: &mut Tally) {
        tally.sent += 1;
        let may_prove = request.flow.filter(|&whose| self.may_prove(whose, &request));
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
                form.fields.clone_from(fields);
                browser.post_once(&form).await
            }
            None => browser.get_once(&address).await,
        };
        let told = format!("{who:?} {address} {:?}", request.fields);
        assert!(page.status < 500, "{told}: {}", page.status);
        for whose in [Who::Ada, Who::Ben] {
            let url = self.app.url.clone();
            let held = self.side(whose).held_by(&browser, &url);
            let known = [
                self.ada.proof.as_deref(),
                self.ben.proof.as_deref(),
                Some(&self.ada.binding),
                Some(&self.ben.binding),
            ];
            let gained = held
                .and_then(|parts| parts.get(2).cloned())
                .filter(|proof| !known.contains(&Some(proof)));
            let hash = self.app.password_hash(&self.side(whose).user_id).await.unwrap();
            let side = self.side_mut(whose);
            if let Some(proof) = gained {
                assert_eq!(may_prove, Some(whose), "{told}: a proof of {whose:?}");
                assert_eq!(side.proof.replace(proof), None, "{told}: a second proof");
                tally.proofs += 1;
            }
            if side.hash != hash {
                assert_eq!(may_set, Some(whose), "{told}: the password of {whose:?}");
                assert!(!std::mem::replace(&mut side.is_done, true), "{told}: set twice");
                side.hash = hash;
                tally.passwords += 1;
            }
        }
        if request.path.ends_with("/resend") && page.header("location").contains("n=sent") {
            let app = self.app;
            self.side_mut(who).reads_the_new_code(app).await;
        }
    }

    fn browser_with(&self, request: &Concrete) -> Browser {
        let browser = self.stranger.of_another();
        if let (Some(whose), Some(parts)) = (request.flow, &request.cookie) {
            let name = cookie_name(&self.side(whose).flow);
            browser.put_cookie(&self.app.url, &name, &parts.join("."));
        }
        browser
    }

    /// Whether a request may turn a code into a proof: it carries the binding of the flow, and its newest code.
    fn may_prove(&self, whose: Who, request: &Concrete) -> bool {
        let side = self.side(whose);
        let binds = request
            .cookie
            .as_ref()
            .is_some_and(|parts| parts.get(1) == Some(&side.binding));
        let newest = side.codes.last();
        let typed = request.fields.as_ref().is_some_and(|fields| {
            fields
                .iter()
                .any(|(name, value)| name == "code" && Some(value) == newest)
        });
        binds && typed && side.proof.is_none() && request.path == "/forgot-password/code"
    }

    /// Whether a request may set a password: it carries the flow's binding and its proof, and a password that may be.
    fn may_set(&self, whose: Who, request: &Concrete) -> bool {
        let side = self.side(whose);
        let proves = request.cookie.as_ref().is_some_and(|parts| {
            parts.get(1) == Some(&side.binding)
                && parts.get(2).is_some()
                && parts.get(2) == side.proof.as_ref()
        });
        let typed = request.fields.as_ref().is_some_and(|fields| {
            fields
                .iter()
                .any(|(name, value)| name == "password" && value == STRONG)
        });
        proves && typed && !side.is_done && request.path == "/forgot-password/password"
    }

    /// All that rests of the two flows, to the letter: two worlds of which this is equal answer alike.
    pub(super) async fn everything(&self) -> String {
        let (ada, ben) = (self.rests(&self.ada).await, self.rests(&self.ben).await);
        format!("{} {ada:?} {ben:?}", self.app.clock.now().as_millis())
    }

    /// What makes a difference: where Ada's flow stands in all it counts, and Ben's coarsely.
    pub(super) async fn standing(&self) -> String {
        let ada = self
            .rests(&self.ada)
            .await
            .standing(self.app.clock.now().as_millis());
        let ben = self.rests(&self.ben).await.state();
        format!("{ada} beside {ben}")
    }

    async fn rests(&self, side: &Side) -> Rests {
        let db = self.app.companion.store.reader();
        let flow: Option<String> = sqlx::query_scalar("SELECT flow FROM reset_flows WHERE id = $1")
            .bind(&side.flow)
            .fetch_optional(db)
            .await
            .unwrap();
        let challenges = sqlx::query_as(
            "SELECT id, attempts, created_at, expires_at FROM challenges WHERE flow_id = $1 ORDER BY rowid",
        )
        .bind(&side.flow)
        .fetch_all(db)
        .await
        .unwrap();
        Rests {
            flow,
            challenges,
            hash: side.hash.clone(),
            cookie: side.held_by(&side.browser, &self.app.url),
        }
    }
}

impl Side {
    /// Somebody with an account, who has asked for a code.
    async fn asks(app: &TestApp, stranger: &Browser, address: String) -> (Self, Form) {
        let user_id = app.add_user(&address, Some(OLD_PASSWORD)).await;
        let mut browser = stranger.of_another();
        browser.open("/forgot-password").await;
        browser.ask_reset(&address).await;
        browser.assert_at("/forgot-password/code");
        let form = browser.page().form_with("code");
        let flow = parameter(&browser.page().url, "f");
        let held = browser.cookie(&app.url, &cookie_name(&flow)).unwrap();
        let side = Self {
            challenges: vec![parameter(&form.action, "c")],
            codes: vec![app.last_code_for(&address).await],
            binding: held.split('.').nth(1).unwrap().to_owned(),
            hash: app.password_hash(&user_id).await.unwrap(),
            browser,
            user_id,
            address,
            flow,
            proof: None,
            is_done: false,
        };
        (side, form)
    }

    async fn reads_the_new_code(&mut self, app: &TestApp) {
        let mut browser = self.browser.clone();
        browser
            .open(&format!("/forgot-password/code?f={}", self.flow))
            .await;
        self.challenges
            .push(parameter(&browser.page().form_with("code").action, "c"));
        self.codes.push(app.last_code_for(&self.address).await);
    }

    /// The parts of the flow's cookie as a browser holds it.
    fn held_by(&self, browser: &Browser, url: &Url) -> Option<Vec<String>> {
        let value = browser.cookie(url, &cookie_name(&self.flow))?;
        Some(value.split('.').map(str::to_owned).collect())
    }

    /// What its own browser would send, even after it was told to forget it.
    fn secrets(&self) -> Vec<String> {
        ["0".to_owned(), self.binding.clone()]
            .into_iter()
            .chain(self.proof.clone())
            .collect()
    }

    fn typed(&self, request: Request, others: &Self) -> String {
        let newest = self.codes.last().unwrap().clone();
        match request {
            Request::Code(Typed::Earlier) => self.codes.iter().rev().nth(1).cloned().unwrap_or(newest),
            Request::Code(Typed::OfOther) => others.codes.last().unwrap().clone(),
            Request::Code(Typed::Wrong) => wrong(&newest),
            Request::Code(Typed::NoDigits) => "no code".to_owned(),
            _ => newest,
        }
    }
}

fn field_name(request: Request) -> &'static str {
    match request {
        Request::Code(_) => "code",
        Request::StrongPassword | Request::WeakPassword => "password",
        Request::Resend | Request::Look(_) => "",
    }
}

fn cookie_name(flow: &str) -> String {
    format!("kb_flow_{flow}")
}

fn parameter(url: &Url, wanted: &str) -> String {
    let mut pairs = url.query_pairs();
    let (_, value) = pairs.find(|(name, _)| name == wanted).unwrap();
    value.into_owned()
}

/// A code that differs in its last digit.
fn wrong(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    format!("{rest}{}", (last.parse::<u8>().unwrap() + 1) % 10)
}
