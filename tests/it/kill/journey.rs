//! Somebody's way through the pages, which ends with the companion.

use std::sync::Arc;
use std::time::Duration;

use keyback_tests::{ADA, Browser, Mail, MessageProvider, SmtpSink, eventually};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::{PHONE, code_of};

/// Where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A reset with the code of a mail.
    ByMail,
    /// A reset with the code of a text message.
    ByPhone,
    /// A reset with a wrong code and a second mail.
    WithDetours,
    /// A reset with a one-time token, from the authorization request that brings it.
    ByToken(Url),
    /// The button behind the link of a notice.
    Contest(Url),
}

/// What was asked of the companion last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Asks,
    Mistypes,
    AsksAgain,
    EntersCode,
    PressesToken,
    ChoosesPassword,
    Contests,
    Arrived,
}

/// Dropped, it goes no further: nobody goes on when the companion is back.
pub(super) struct Journey {
    way: JoinSet<()>,
    stage: watch::Receiver<Stage>,
}

impl Journey {
    pub(super) fn begin(
        browser: Browser,
        mails: &Arc<SmtpSink>,
        peer: &Arc<MessageProvider>,
        way: Way,
        password: &str,
    ) -> Self {
        let (tells, stage) = watch::channel(Stage::Asks);
        let codes = Codes {
            mails: Arc::clone(mails),
            peer: Arc::clone(peer),
        };
        let password = password.to_owned();
        let mut running = JoinSet::new();
        running.spawn(async move {
            match way {
                Way::Contest(link) => contest(browser, &link, &tells).await,
                Way::ByToken(link) => by_token(browser, &link, &password, &tells).await,
                way => reset(browser, codes, &way, &password, &tells).await,
            }
            tells.send_replace(Stage::Arrived);
        });
        Self { way: running, stage }
    }

    /// How far it came.
    pub(super) async fn end(mut self) -> Stage {
        // It panics when the companion is gone.
        self.way.join_next().await;
        *self.stage.borrow()
    }

    /// Waits until it has come so far, or to its end.
    pub(super) async fn comes_to(&mut self, stage: Stage) {
        // Where it has ended nobody tells any more.
        self.stage.wait_for(|reached| *reached >= stage).await.ok();
    }
}

async fn contest(mut browser: Browser, link: &Url, tells: &watch::Sender<Stage>) {
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/not-me");
    tells.send_replace(Stage::Contests);
    browser.submit(form).await;
    browser.assert_at("/not-me/frozen");
}

async fn by_token(mut browser: Browser, link: &Url, password: &str, tells: &watch::Sender<Stage>) {
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/forgot-password/token");
    tells.send_replace(Stage::PressesToken);
    browser.submit(form).await;
    tells.send_replace(Stage::ChoosesPassword);
    browser.choose_password(password).await;
    browser.assert_at("/forgot-password/done");
}

async fn reset(mut browser: Browser, codes: Codes, way: &Way, password: &str, tells: &watch::Sender<Stage>) {
    let address = if *way == Way::ByPhone { PHONE } else { ADA };
    let seen = codes.to(address).len();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    let mut code = codes.next(address, seen).await;
    if *way == Way::WithDetours {
        tells.send_replace(Stage::Mistypes);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        browser.enter_code(wrong).await;
        browser.assert_status(422);
        // The cool-down is as short as it may be.
        tokio::time::sleep(Duration::from_secs(1)).await;
        tells.send_replace(Stage::AsksAgain);
        browser.resend().await;
        browser.assert_status(200);
        code = codes.next(address, seen + 1).await;
    }
    tells.send_replace(Stage::EntersCode);
    browser.enter_code(&code).await;
    tells.send_replace(Stage::ChoosesPassword);
    browser.choose_password(password).await;
    browser.assert_at("/forgot-password/done");
}

/// Where codes arrive.
struct Codes {
    mails: Arc<SmtpSink>,
    peer: Arc<MessageProvider>,
}

impl Codes {
    fn to(&self, address: &str) -> Vec<String> {
        if address == PHONE {
            let mut asked = self.peer.messages();
            asked.retain(|asked| asked.path == "/sms");
            return asked.iter().filter_map(code_of).collect();
        }
        self.mails.mails().iter().filter_map(Mail::code).collect()
    }

    /// The one behind so many.
    async fn next(&self, address: &str, seen: usize) -> String {
        eventually("a code", async || self.to(address).get(seen).cloned()).await
    }
}
