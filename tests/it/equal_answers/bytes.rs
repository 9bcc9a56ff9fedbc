//! What is shown is the same, to the byte: the pages, and the status and headers of every answer on the way. SR-1.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_companion::config::duration::Span;
use keyback_companion::config::limits::LimitsConfig;
use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::users::NewUser;
use keyback_core::identifier::{Identifier, IdentifierKind};
use keyback_tests::{ADA, Browser, Form, OLD_PASSWORD, Page, SmtpManner, SmtpSink, TestApp, eventually};

use super::shown::Shown;
use crate::smtp::over_smtp;

/// What there is of the address or number that is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Known,
    Unknown,
    Disabled,
    Unverified,
    Passwordless,
}

const STATES: [State; 5] = [
    State::Known,
    State::Unknown,
    State::Disabled,
    State::Unverified,
    State::Passwordless,
];
/// What is typed in each state: of one length, so that lengths tell nothing either.
/// Of a domain each, since mails to one wait for each other; all as long.
const ADDRESSES: [&str; 5] = [
    ADA,
    "bob@bxample.com",
    "eve@cxample.com",
    "una@dxample.com",
    "pat@example.com",
];
const NUMBERS: [&str; 5] = [
    "+14155550120",
    "+14155550121",
    "+14155550122",
    "+14155550123",
    "+14155550124",
];

/// Somebody who asks for a reset.
struct Visitor {
    state: State,
    typed: &'static str,
    browser: Browser,
    /// A form of an earlier page.
    kept: Option<Form>,
}

impl Visitor {
    async fn open(&mut self) {
        self.browser.open("/forgot-password").await;
    }

    async fn ask(&mut self) {
        self.browser.ask_reset(self.typed).await;
    }

    async fn resend(&mut self) {
        self.browser.resend().await;
    }

    async fn open_sign_in(&mut self) {
        self.browser.open("/sign-in").await;
    }

    async fn sign_in_wrongly(&mut self) {
        self.browser.sign_in(self.typed, "not their password").await;
    }

    /// It is right once in a million runs, for who has an account.
    async fn guess(&mut self) {
        self.browser.enter_code("000000").await;
    }

    async fn type_no_code(&mut self) {
        self.browser.enter_code("12345").await;
    }

    async fn reload(&mut self) {
        self.browser.reload().await;
    }

    async fn send_kept(&mut self) {
        self.browser.submit(self.kept.clone().unwrap()).await;
    }
}

/// One visitor for each state, each from an address of their own. They do the same at the same moment.
struct Visitors {
    app: TestApp,
    each: Vec<Visitor>,
}

impl Visitors {
    async fn of(identifiers: [&'static str; 5], change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(|config| {
            config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            change(config);
        })
        .await;
        let mut each = Vec::new();
        for ((state, typed), last) in STATES.into_iter().zip(identifiers).zip(1..) {
            add_account(&app, state, typed).await;
            each.push(Visitor {
                state,
                typed,
                browser: app.browser().that_comes_from([198, 51, 100, last].into()),
                kept: None,
            });
        }
        Self { app, each }
    }

    /// All do this, which leads to a page of this status, and every answer on the way is the same.
    async fn all(&mut self, what: &str, act: impl AsyncFn(&mut Visitor), status: u16) {
        let mut first: Option<Vec<Shown>> = None;
        for visitor in &mut self.each {
            act(visitor).await;
            let (state, page) = (visitor.state, visitor.browser.page());
            assert_eq!(page.status, status, "{what}, {state:?}: {}", page.text());
            let hops = visitor.browser.hops().iter();
            let shown: Vec<_> = hops.map(|hop| Shown::of(hop, visitor.typed)).collect();
            match &first {
                Some(first) => assert_eq!(shown, *first, "{what}, {state:?}"),
                None => first = Some(shown),
            }
        }
    }

    /// All keep a form of the page that is open.
    fn keep(&mut self, find: impl Fn(&Page) -> Form) {
        for visitor in &mut self.each {
            visitor.kept = Some(find(visitor.browser.page()));
        }
    }

    /// Waits until the worker has begun every job, whatever comes of it.
    async fn all_taken(&self) {
        eventually("every job to be taken", async || {
            let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE attempts = 0")
                .fetch_one(self.app.companion.store.reader())
                .await
                .unwrap();
            (waiting == 0).then_some(())
        })
        .await;
    }

    /// Lets time pass. What the worker would try again is given up: after five in vain it would try nothing any more.
    async fn wait(&self, seconds: u64) {
        self.all_taken().await;
        sqlx::query("DELETE FROM jobs")
            .execute(self.app.companion.store.writer())
            .await
            .unwrap();
        self.app.advance(Duration::from_secs(seconds));
    }
}

async fn add_account(app: &TestApp, state: State, typed: &str) {
    if state == State::Unknown {
        return;
    }
    let is_email = Identifier::parse(typed).unwrap().kind() == IdentifierKind::Email;
    let (email, phone) = if is_email {
        (Some(typed), None)
    } else {
        (None, Some(typed))
    };
    let user = NewUser {
        email: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
        verified: state != State::Unverified,
        ..NewUser::default()
    };
    let password = (state != State::Passwordless).then_some(OLD_PASSWORD);
    let id = app.add(user, password).await;
    if state == State::Disabled {
        app.set_status(&id, AccountStatus::Disabled).await;
    }
}

/// All that one can meet on the way of a code without typing a right one: a page, a look, the cool-down, another code, codes
/// that are wrong, older, used up, too old and none, and a reset that is over.
async fn go_the_whole_way(visitors: &mut Visitors) {
    visitors.all("the first page", Visitor::open, 200).await;
    visitors.all("a code", Visitor::ask, 200).await;
    visitors.all_taken().await;
    visitors.all("another at once", Visitor::resend, 429).await;
    visitors.all("a wrong code", Visitor::guess, 422).await;
    visitors.all("what is no code", Visitor::type_no_code, 422).await;
    visitors.wait(18).await;
    visitors.all("a look", Visitor::reload, 200).await;
    visitors.all("another too soon", Visitor::resend, 429).await;
    visitors.keep(of_a_wrong_code);
    visitors.wait(42).await;
    visitors.all("another code", Visitor::resend, 200).await;
    visitors.all_taken().await;
    visitors.all("an older code", Visitor::send_kept, 422).await;
    visitors.keep(of_a_wrong_code);
    for tried in 0..5 {
        let what = format!("a wrong code after {tried}");
        visitors.all(&what, Visitor::guess, 422).await;
    }
    visitors.all("a code used up", Visitor::send_kept, 422).await;
    visitors.all("a look at it", Visitor::reload, 200).await;
    visitors.wait(600).await;
    visitors.all("a code too old", Visitor::send_kept, 422).await;
    visitors.all("a look at it", Visitor::reload, 200).await;
    visitors.keep(of_another_code);
    visitors.wait(3_600).await;
    visitors.all("a look at what is over", Visitor::reload, 200).await;
    visitors.all("another code of it", Visitor::send_kept, 200).await;
}

fn of_a_wrong_code(page: &Page) -> Form {
    page.form_with("code").fill("code", "000000")
}

fn of_another_code(page: &Page) -> Form {
    page.form_to("/forgot-password/code/resend")
}

#[tokio::test]
async fn sr01_sr03_sr26_whoever_is_asked_for_every_answer_is_the_same() {
    let mut visitors = Visitors::of(ADDRESSES, |_| {}).await;
    go_the_whole_way(&mut visitors).await;
    assert_who_got_codes(&visitors).await;
}

/// The same of numbers.
#[tokio::test]
async fn sr01_sr03_sr26_whatever_number_is_asked_for_every_answer_is_the_same() {
    let mut visitors = Visitors::of(NUMBERS, |_| {}).await;
    go_the_whole_way(&mut visitors).await;
    assert_who_got_codes(&visitors).await;
}

/// SR-4: nothing leaves for whoever may not reset; the others have both codes.
async fn assert_who_got_codes(visitors: &Visitors) {
    for visitor in &visitors.each {
        let letters = visitors.app.letters_to(visitor.typed).await.len();
        let codes = match visitor.state {
            State::Known | State::Passwordless => 2,
            State::Unknown | State::Disabled | State::Unverified => 0,
        };
        assert_eq!(letters, codes, "{:?}", visitor.state);
    }
}

/// SR-34: and so it is while the mail server is slow, refuses everything or some, or hangs.
#[tokio::test]
async fn sr01_sr03_sr34_every_answer_is_the_same_whatever_the_mail_server_does() {
    for manner in [
        SmtpManner::Takes,
        SmtpManner::Slow(Duration::from_millis(200)),
        SmtpManner::Refuses("421 4.3.2 closed for today"),
        SmtpManner::RefusesRecipients("550 5.1.1 nobody here"),
        SmtpManner::Hangs,
    ] {
        let sink = SmtpSink::in_manner(manner).await;
        let mut visitors = Visitors::of(ADDRESSES, |config| {
            over_smtp(config, sink.address);
            config.email.timeout = Span::seconds(60);
        })
        .await;
        go_the_whole_way(&mut visitors).await;
        assert!(sink.connections() >= 1, "{manner:?}: it was asked");
        for mail in sink.mails() {
            assert!(
                [ADDRESSES[0], ADDRESSES[4]].contains(&mail.to[0].as_str()),
                "{manner:?}: {mail:?}"
            );
        }
    }
}

/// At the sign-in, who has no such account, or none that may sign in, is told what a wrong password is.
#[tokio::test]
async fn sr01_sr03_sr51_whoever_signs_in_wrongly_is_told_the_same_and_refused_alike() {
    for identifiers in [ADDRESSES, NUMBERS] {
        let mut visitors =
            Visitors::of(identifiers, |config| config.limits.sign_ins_per_identifier = 4).await;
        visitors.all("the sign-in", Visitor::open_sign_in, 200).await;
        for status in [422, 422, 422, 422, 429] {
            visitors
                .all("a wrong password", Visitor::sign_in_wrongly, status)
                .await;
        }
    }
}

/// Sets one limit so low that it is met.
type Lower = fn(&mut LimitsConfig);

/// Each limit of sends, and the live codes: how many are taken, and what is answered to another code of the first of them.
#[tokio::test]
async fn sr03_whoever_asks_too_often_is_refused_alike() {
    let limits: [(&str, Lower, usize, u16); 5] = [
        (
            "of an identifier",
            |limits| limits.sends_per_identifier = 2,
            2,
            429,
        ),
        ("of a client", |limits| limits.sends_per_address = 2, 2, 429),
        // Half for everybody, and half for clients that have not asked twice.
        ("of an app", |limits| limits.sends_per_app = Some(20), 2, 429),
        (
            "of all",
            |limits| {
                limits.sends_in_all = 20;
                limits.sends_per_app = Some(1_000);
            },
            2,
            429,
        ),
        // A flow keeps its room.
        ("live codes", |_| {}, 4, 200),
    ];
    for identifiers in [ADDRESSES, NUMBERS] {
        for (limit, lower, taken, again) in limits {
            let mut visitors = Visitors::of(identifiers, |config| {
                lower(&mut config.limits);
                // Shorter than it takes for one more of all.
                config.reset.resend_cooldown = Span::seconds(30);
            })
            .await;
            for _ in 0..taken {
                visitors.all(limit, Visitor::open, 200).await;
                visitors.all(limit, Visitor::ask, 200).await;
            }
            visitors.keep(of_another_code);
            visitors.all(limit, Visitor::open, 200).await;
            visitors.all(limit, Visitor::ask, 429).await;
            visitors.wait(30).await;
            visitors.all(limit, Visitor::send_kept, again).await;
        }
    }
}

/// Each limit of tries: two are taken.
#[tokio::test]
async fn sr03_whoever_tries_too_often_is_refused_alike() {
    let limits: [(&str, Lower); 3] = [
        // Five are for clients not yet seen.
        ("of an identifier", |limits| limits.codes_per_identifier = 7),
        ("of a client", |limits| limits.codes_per_address = 2),
        ("in a row", |limits| limits.wrong_codes_in_a_row = 4),
    ];
    for identifiers in [ADDRESSES, NUMBERS] {
        for (limit, lower) in limits {
            let mut visitors = Visitors::of(identifiers, |config| lower(&mut config.limits)).await;
            visitors.all(limit, Visitor::open, 200).await;
            visitors.all(limit, Visitor::ask, 200).await;
            visitors.all_taken().await;
            for status in [422, 422, 429] {
                visitors.all(limit, Visitor::guess, status).await;
            }
            visitors.wait(7).await;
            visitors.all(limit, Visitor::guess, 429).await;
            visitors.all(limit, Visitor::reload, 200).await;
        }
    }
}
