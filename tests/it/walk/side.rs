//! One person: a browser, a mailbox, and the reset that is under way in that browser.

use keyback_tests::{Browser, Form, OLD_PASSWORD, TestApp};
use url::Url;

use super::moves::{Typed, Who};
use crate::journeys::links::link_in;

/// What is typed where there is no code to be typed.
const NO_CODE: &str = "no code";

#[derive(Clone)]
pub(super) struct Side {
    pub(super) browser: Browser,
    pub(super) user_id: String,
    pub(super) address: String,
    /// As it was last seen.
    pub(super) hash: String,
    /// The reset that was begun last in this browser.
    pub(super) flow: Flow,
    /// The code that an app has sent last, until it was used.
    pub(super) of_app: Option<String>,
    pub(super) brought: Option<Brought>,
}

/// One reset.
#[derive(Clone)]
pub(super) struct Flow {
    pub(super) id: String,
    /// Whose password it is about; nobody's where nobody has an account with the address.
    pub(super) of: Option<Who>,
    /// What the code page's form says, the newest last.
    pub(super) challenges: Vec<String>,
    /// Of the mails, the newest last, and the tokens of their links.
    pub(super) codes: Vec<String>,
    pub(super) links: Vec<String>,
    pub(super) binding: String,
    pub(super) proof: Option<String>,
    /// Whether its password was set.
    pub(super) is_done: bool,
}

/// A token for a reset that an app has brought with its request.
#[derive(Clone)]
pub(super) struct Brought {
    pub(super) interaction: String,
    /// Whether it has opened its reset.
    pub(super) is_used: bool,
}

impl Side {
    /// Somebody with an account, who has asked for a code; and the form for it.
    pub(super) async fn asks(app: &TestApp, stranger: &Browser, who: Who, address: &str) -> (Self, Form) {
        let user_id = app.add_user(address, Some(OLD_PASSWORD)).await;
        let mut browser = stranger.of_another();
        browser.open("/forgot-password").await;
        browser.ask_reset(address).await;
        browser.assert_at("/forgot-password/code");
        let form = browser.page().form_with("code");
        let flow = Flow::begun(app, &browser, &browser.page().url, Some(who), address).await;
        let side = Self {
            hash: app.password_hash(&user_id).await.unwrap(),
            browser,
            user_id,
            address: address.to_owned(),
            flow,
            of_app: None,
            brought: None,
        };
        (side, form)
    }

    /// The same person, whose browser is one of its own from now on.
    pub(super) fn as_it_is(&self) -> Self {
        Self {
            browser: self.browser.as_it_is(),
            ..self.clone()
        }
    }

    /// What is typed of a code.
    pub(super) fn typed(&self, typed: Typed, others: &Self) -> String {
        let newest = self.flow.codes.last().map_or(NO_CODE, String::as_str);
        match typed {
            Typed::Newest => newest.to_owned(),
            Typed::Earlier => {
                let earlier = self.flow.codes.iter().rev().nth(1);
                earlier.map_or(newest, String::as_str).to_owned()
            }
            Typed::OfOther => others
                .flow
                .codes
                .last()
                .map_or(NO_CODE, String::as_str)
                .to_owned(),
            Typed::OfApp => self.of_app.clone().unwrap_or_else(|| NO_CODE.to_owned()),
            Typed::Wrong => wrong(newest),
            Typed::NoDigits => "no digits".to_owned(),
        }
    }
}

impl Flow {
    /// The flow that a page's address names, begun in this browser for an address.
    pub(super) async fn begun(
        app: &TestApp,
        browser: &Browser,
        page: &Url,
        of: Option<Who>,
        address: &str,
    ) -> Self {
        let mut flow = Self::held(app, browser, page, of);
        flow.reads_the_mail(app, browser, address).await;
        flow
    }

    /// The flow that a page's address names, as the browser holds it.
    pub(super) fn held(app: &TestApp, browser: &Browser, page: &Url, of: Option<Who>) -> Self {
        let id = parameter(page, "f");
        let held = held_by(browser, &app.url, &id).unwrap();
        Self {
            of,
            challenges: Vec::new(),
            codes: Vec::new(),
            links: Vec::new(),
            binding: held[1].clone(),
            proof: held.get(2).cloned(),
            is_done: false,
            id,
        }
    }

    /// The new challenge, and what came in its mail, if one did.
    pub(super) async fn reads_the_mail(&mut self, app: &TestApp, browser: &Browser, address: &str) {
        let mut tab = browser.clone();
        tab.open(&format!("/forgot-password/code?f={}", self.id)).await;
        let form = tab.page().form_with("code");
        self.challenges.push(parameter(&form.action, "c"));
        if self.of.is_some() {
            let letter = app.letters_to(address).await.remove(0);
            self.codes.push(letter.code.unwrap());
            self.links.push(parameter(&link_in(&letter.text).unwrap(), "t"));
        }
    }

    /// What the browser that began it would send, even after it was told to forget it.
    pub(super) fn secrets(&self) -> Vec<String> {
        ["0".to_owned(), self.binding.clone()]
            .into_iter()
            .chain(self.proof.clone())
            .collect()
    }
}

/// The parts of a flow's cookie as a browser holds it.
pub(super) fn held_by(browser: &Browser, url: &Url, flow: &str) -> Option<Vec<String>> {
    let value = browser.cookie(url, &cookie_name(flow))?;
    Some(value.split('.').map(str::to_owned).collect())
}

pub(super) fn cookie_name(flow: &str) -> String {
    format!("kb_flow_{flow}")
}

pub(super) fn parameter(url: &Url, wanted: &str) -> String {
    let mut pairs = url.query_pairs();
    let (_, value) = pairs.find(|(name, _)| name == wanted).unwrap();
    value.into_owned()
}

/// A code that differs in its last digit.
fn wrong(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    format!("{rest}{}", last.parse::<u8>().map_or(0, |last| (last + 1) % 10))
}
