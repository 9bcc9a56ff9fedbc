//! The same step, many times at once: exactly one of them counts.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_companion::hashing::{self, Verdict};
use keyback_companion::store::Store;
use keyback_companion::store::jobs::{self, Free, Lane, NewJob};
use keyback_core::time::Timestamp;
use keyback_tests::{ADA, Browser, Form, NEW_PASSWORD, OLD_PASSWORD, Page, TestApp, counts};

use crate::journeys::frozen;
use crate::journeys::links::link_in;

/// Limits out of the way: what holds here is the flow alone.
async fn awaiting_code() -> (TestApp, Browser) {
    let app = TestApp::with(|config: &mut Config| config.limits.factor = 1_000).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    (app, browser)
}

/// Sends all forms at once, and collects what each is answered.
pub(crate) async fn race(browser: &Browser, forms: impl IntoIterator<Item = Form>) -> Vec<Page> {
    let mut running = tokio::task::JoinSet::new();
    for form in forms {
        let tab = browser.clone();
        running.spawn(async move { tab.post_once(&form).await });
    }
    running.join_all().await
}

pub(crate) fn leading_to<'a>(answers: &'a [Page], path: &str) -> Vec<&'a Page> {
    let led = answers.iter().filter(|page| page.status == 303);
    led.filter(|page| page.location().unwrap().path() == path)
        .collect()
}

/// A cookie that an answer sets for the flow, if it holds a proof: time, binding and proof.
fn sets_a_proof(page: &Page) -> bool {
    let cookies = page.headers.get_all("set-cookie").iter();
    let flows = cookies.filter(|cookie| cookie.to_str().unwrap().starts_with("kb_flow_"));
    flows
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .any(|pair| pair.split('.').count() == 3)
}

/// Of answers to the right code one brings the proof. The others are told that it was used, or led on where the winner's cookie
/// was there already; no other answer. And the winner's cookie does what it is for.
async fn assert_one_proof(app: &TestApp, mut browser: Browser, flow: &str, answers: &[Page]) {
    assert_eq!(answers.iter().filter(|page| sets_a_proof(page)).count(), 1);
    assert_eq!(app.audited("code_accepted").await, 1);
    for page in answers {
        let is_on = page.status == 303 && page.location().unwrap().path() == "/forgot-password/password";
        let start = page.status == 303 && page.location().unwrap().path() == "/forgot-password";
        assert!(
            is_on || start || page.status == 422,
            "{} {}",
            page.status,
            page.text()
        );
    }
    let attempts = app.challenges().await[0].attempts;
    assert!((1..=5).contains(&attempts), "{attempts}");
    browser.open(&format!("/forgot-password/password?{flow}")).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_a_hundred_right_codes_at_once_one_gets_the_proof() {
    let (app, browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code").fill("code", &code);
    let answers = race(&browser, std::iter::repeat_n(form, counts(100, 500))).await;
    let flow = browser.page().url.query().unwrap().to_owned();
    assert_one_proof(&app, browser, &flow, &answers).await;
}

/// Elsewhere the code is shown as often as somebody presses, and told to the audit trail once.
#[tokio::test(flavor = "multi_thread")]
async fn sr30_sr21_of_a_hundred_presses_of_a_link_at_once_one_gets_the_proof() {
    let count = counts(100, 500);
    let app = TestApp::with(|config| {
        config.limits.factor = 1_000;
        config.reset.links = true;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let flow = browser.page().url.query().unwrap().to_owned();
    let letter = app.letters_to(ADA).await.remove(0);
    let link = link_in(&letter.text).unwrap();
    let mut phone = app.browser();
    phone.open(link.as_str()).await;
    let press = phone.page().form_to("/forgot-password/link");
    let shown = race(&phone, std::iter::repeat_n(press, count)).await;
    assert!(shown.iter().all(|page| page.text_of("code") == letter.code));
    assert_eq!(app.audited("code_shown").await, 1);
    assert_eq!(app.challenges().await[0].attempts, 0);
    browser.open(link.as_str()).await;
    let press = browser.page().form_to("/forgot-password/code");
    let answers = race(&browser, std::iter::repeat_n(press, count)).await;
    assert_one_proof(&app, browser, &flow, &answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sr19_of_two_hundred_wrong_codes_at_once_five_are_counted() {
    let count = u32::try_from(counts(200, 2_000)).unwrap();
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let number: u32 = code.parse().unwrap();
    let form = browser.page().form_with("code");
    let guesses = (1..=count).map(|add| {
        let guess = format!("{:06}", (number + add) % 1_000_000);
        form.clone().fill("code", &guess)
    });
    let answers = race(&browser, guesses).await;
    assert!(
        answers.iter().all(|page| page.status == 422),
        "none is right, none breaks"
    );
    let challenge = app.challenges().await.remove(0);
    assert_eq!(challenge.attempts, 5);
    let compared = answers
        .iter()
        .filter(|page| page.text().contains("doesn’t match"))
        .count();
    // The fifth is told of the end rather than of zero tries left.
    assert_eq!(compared, 4);
    assert_eq!(app.audited("code_rejected").await, 4);
    assert_eq!(app.audited("attempts_exhausted").await, 1);
    browser.submit(form.fill("code", &code)).await;
    browser.assert_says("Too many wrong tries");
    assert_eq!(app.audited("code_accepted").await, 0);
}

/// One try is left to the right one, whatever comes first.
#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_right_codes_among_wrong_ones_at_once_one_gets_the_proof() {
    let (app, browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code");
    let flow = browser.page().url.query().unwrap().to_owned();
    let number: u32 = code.parse().unwrap();
    let wrong = (1..=4).map(|add| {
        let guess = format!("{:06}", (number + add) % 1_000_000);
        form.clone().fill("code", &guess)
    });
    let right = form.clone().fill("code", &code);
    let (wrong, right) = tokio::join!(
        race(&browser, wrong),
        race(&browser, std::iter::repeat_n(right, counts(100, 500))),
    );
    assert!(!wrong.iter().any(sets_a_proof));
    // A wrong one that was compared is told so, or led on where the proof came before its page; others come after the proof.
    let mismatched = |answers: &[Page]| {
        let told = answers
            .iter()
            .filter(|page| page.text().contains("doesn’t match"));
        told.count()
    };
    let rejected = app.audited("code_rejected").await;
    assert!((i64::try_from(mismatched(&wrong)).unwrap()..=4).contains(&rejected));
    assert_eq!(mismatched(&right), 0);
    assert_one_proof(&app, browser, &flow, &right).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sr53_of_a_hundred_new_passwords_at_once_one_is_set() {
    let count = counts(100, 500);
    let (app, mut browser) = awaiting_code().await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    let form = browser.page().form_with("password");
    let password = |at: usize| format!("{NEW_PASSWORD} number {at}");
    let all = (0..count).map(|at| form.clone().fill("password", &password(at)));
    let answers = race(&browser, all).await;
    // Whoever came second is led to the same end; who found no room to hash is asked to come back.
    let done = leading_to(&answers, "/forgot-password/done").len();
    let busy = answers.iter().filter(|page| page.status == 503).count();
    assert_eq!(done + busy, count);
    assert!(done >= 1);
    assert_eq!(app.audited("reset_completed").await, 1);
    app.settle().await;
    let letters = app.letters_to(ADA).await;
    let notices = letters.iter().filter(|letter| letter.kind == "password-changed");
    assert_eq!(notices.count(), 1);
    assert_eq!(right_ones(&app, (0..count).map(password)).await, 1);
}

/// Each asks for the current password, which the first has replaced; and the first has ended the session.
#[tokio::test(flavor = "multi_thread")]
async fn sr72_of_a_hundred_changes_at_once_one_is_made() {
    let count = counts(100, 500);
    let app = TestApp::with(|config| config.limits.factor = 1_000).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/account/password").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let form = browser.page().form_with("current_password");
    let form = form.fill("current_password", OLD_PASSWORD);
    let password = |at: usize| format!("{NEW_PASSWORD} number {at}");
    let all = (0..count).map(|at| form.clone().fill("password", &password(at)));
    let answers = race(&browser, all).await;
    let changed = answers.iter().filter(|page| page.status == 200);
    assert_eq!(changed.count(), 1);
    assert_eq!(app.audited("password_changed").await, 1);
    let refused = answers.iter().filter(|page| match page.status {
        303 => page.location().unwrap().path() == "/sign-in",
        422 => page.text().contains("That is not your current password."),
        status => status == 503,
    });
    assert_eq!(refused.count(), count - 1);
    assert_eq!(app.row_counts().await["sessions"], 1, "the winner's new one");
    assert_eq!(right_ones(&app, (0..count).map(password)).await, 1);
}

/// How many of these are Ada's password.
async fn right_ones(app: &TestApp, passwords: impl Iterator<Item = String>) -> usize {
    let id = app.user(ADA).await.id;
    let stored = app.password_hash(&id).await.unwrap();
    let mut right = 0;
    for password in passwords {
        let verified = app
            .companion
            .hashing
            .verify(hashing::Lane::SignIn, &password, Some(&stored));
        right += usize::from(verified.await.unwrap() != Verdict::Wrong);
    }
    right
}

#[tokio::test(flavor = "multi_thread")]
async fn sr59_of_a_hundred_new_passwords_of_a_frozen_account_at_once_one_thaws_it() {
    let count = counts(100, 500);
    let app = TestApp::with(|config| config.limits.factor = 1_000).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    frozen::reset(&app, ADA, "nobody hears me at the door").await;
    let (_, link) = frozen::notice_to(&app, ADA).await;
    let mut owner = frozen::freeze(&app, &link).await;
    owner.open("/forgot-password").await;
    owner.ask_reset(ADA).await;
    owner.enter_code(&app.last_code_for(ADA).await).await;
    let form = owner.page().form_with("password").fill("password", NEW_PASSWORD);
    let answers = race(&owner, std::iter::repeat_n(form, count)).await;
    let done = leading_to(&answers, "/forgot-password/done").len();
    let busy = answers.iter().filter(|page| page.status == 503).count();
    assert_eq!(done + busy, count);
    assert!(done >= 1);
    assert_eq!(app.audited("account_thawed").await, 1);
    // The thief's, and the owner's.
    assert_eq!(app.audited("reset_completed").await, 2);
    assert!(frozen::signs_in(&app, NEW_PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr22_of_a_hundred_resends_at_once_one_sends_a_code() {
    let count = counts(100, 500);
    let (app, mut browser) = awaiting_code().await;
    let first = app.last_code_for(ADA).await;
    let resend = browser.page().form_to("/forgot-password/code/resend");
    app.advance(Duration::from_secs(60));
    let answers = race(&browser, std::iter::repeat_n(resend, count)).await;
    assert_eq!(leading_to(&answers, "/forgot-password/code").len(), 1);
    let refused = answers.iter().filter(|page| page.status == 429).count();
    assert_eq!(refused, count - 1);
    assert_eq!(app.letters_to(ADA).await.len(), 2);
    let challenges = app.challenges().await;
    let live = challenges
        .iter()
        .filter(|challenge| challenge.superseded_at.is_none());
    assert_eq!((challenges.len(), live.count()), (2, 1));
    browser.reload().await;
    let code = app.last_code_for(ADA).await;
    if code != first {
        browser.enter_code(&first).await;
        browser.assert_status(422);
    }
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/password");
}

/// The room for codes is looked at in the transaction that fills it.
#[tokio::test(flavor = "multi_thread")]
async fn sr22_of_a_hundred_resets_begun_at_once_four_get_a_code() {
    let app = TestApp::with(|config: &mut Config| {
        config.limits.sends_per_identifier = 1_000;
        config.limits.sends_per_address = 1_000;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    // After three the client is none that something is kept for.
    for _ in 0..3 {
        browser.clone().ask_reset(ADA).await;
    }
    let form = browser.page().form_with("identifier").fill("identifier", ADA);
    let answers = race(&browser, std::iter::repeat_n(form, counts(100, 500))).await;
    assert_eq!(leading_to(&answers, "/forgot-password/code").len(), 1);
    assert!(
        answers
            .iter()
            .all(|page| page.status == 303 || page.status == 429)
    );
    assert_eq!(app.challenges().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_proofs_of_one_account_at_once_set_one_password() {
    let (app, mut one) = awaiting_code().await;
    let mut two = app.browser();
    one.enter_code(&app.last_code_for(ADA).await).await;
    two.open("/forgot-password").await;
    two.ask_reset(ADA).await;
    two.enter_code(&app.last_code_for(ADA).await).await;
    let mine = one.page().form_with("password").fill("password", NEW_PASSWORD);
    let theirs = two.page().form_with("password");
    let theirs = theirs.fill("password", "quite another long password");
    let half = counts(100, 500) / 2;
    let (mine, theirs) = tokio::join!(
        race(&one, std::iter::repeat_n(mine, half)),
        race(&two, std::iter::repeat_n(theirs, half)),
    );
    // Repeated, the one that was first is led to the same end; the other never is.
    let ends = [&mine, &theirs].map(|answers| leading_to(answers, "/forgot-password/done").len());
    assert!(ends.contains(&0) && ends != [0, 0], "{ends:?}");
    // Who found no room to hash is asked to come back.
    let both = mine.iter().chain(&theirs);
    let broken = both.filter(|page| page.status >= 500 && page.status != 503);
    assert_eq!(broken.count(), 0);
    assert_eq!(app.audited("reset_completed").await, 1);
}

/// Two processes on one file, and half of the workers in each.
#[tokio::test(flavor = "multi_thread")]
async fn sr34_of_a_hundred_workers_at_once_one_has_each_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyback.db");
    let stores = [
        Store::open(&path).await.unwrap(),
        Store::open(&path).await.unwrap(),
    ];
    let now = Timestamp::from_millis(1_000_000);
    let mut written: Vec<String> = (10..30).map(|number| format!("message {number}")).collect();
    for id in &written {
        let job = NewJob {
            id,
            kind: "mail",
            lane: Lane::Email,
            reference: None,
            target: None,
            payload: "",
            created_at: now,
            expires_at: now + Duration::from_secs(600),
        };
        jobs::add(stores[0].writer(), &job).await.unwrap();
    }
    let mut running = tokio::task::JoinSet::new();
    for at in 0..counts(100, 500) {
        let store = stores[at % 2].clone();
        running.spawn(async move {
            let free = Free {
                email: 1,
                sms: 1,
                calls: 1,
            };
            let lease = Duration::from_secs(120);
            jobs::take(store.writer(), now, lease, free, &[]).await.unwrap()
        });
    }
    let taken = running.join_all().await.into_iter().flatten();
    let mut taken: Vec<String> = taken.map(|job| job.id).collect();
    taken.sort();
    written.sort();
    assert_eq!(taken, written);
}
