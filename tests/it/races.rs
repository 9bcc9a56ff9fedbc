//! The same step, many times at once: exactly one of them counts.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_tests::{ADA, Browser, Form, NEW_PASSWORD, OLD_PASSWORD, Page, TestApp, counts};

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
async fn race(browser: &Browser, forms: impl IntoIterator<Item = Form>) -> Vec<Page> {
    let mut running = tokio::task::JoinSet::new();
    for form in forms {
        let tab = browser.clone();
        running.spawn(async move { tab.post_once(&form).await });
    }
    running.join_all().await
}

fn leading_to<'a>(answers: &'a [Page], path: &str) -> Vec<&'a Page> {
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

#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_a_hundred_right_codes_at_once_one_gets_the_proof() {
    let count = counts(100, 500);
    let (app, browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code").fill("code", &code);
    let answers = race(&browser, std::iter::repeat_n(form, count)).await;
    assert_eq!(answers.iter().filter(|page| sets_a_proof(page)).count(), 1);
    assert_eq!(app.audited("code_accepted").await, 1);
    // The others are told that it was used, or led on where the winner's cookie was there already; no other answer.
    for page in &answers {
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
    // And the winner's cookie does what it is for.
    let mut browser = browser;
    let flow = browser.page().url.query().unwrap().to_owned();
    browser.open(&format!("/forgot-password/password?{flow}")).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
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

#[tokio::test(flavor = "multi_thread")]
async fn sr21_right_and_wrong_codes_at_once_yield_at_most_one_proof() {
    let (app, browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code");
    let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    let mixed = (0..counts(100, 500)).map(|at| {
        let typed = if at % 3 == 0 { &code } else { &wrong };
        form.clone().fill("code", typed)
    });
    let answers = race(&browser, mixed).await;
    assert!(answers.iter().all(|page| page.status < 500));
    let proofs = answers.iter().filter(|page| sets_a_proof(page)).count();
    let accepted = app.audited("code_accepted").await;
    assert!(proofs <= 1 && i64::try_from(proofs).unwrap() == accepted);
    assert!(app.challenges().await[0].attempts <= 5);
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
    // One of them is the password now.
    let id = app.user(ADA).await.id;
    let stored = app.password_hash(&id).await.unwrap();
    let mut right = 0;
    for at in 0..count {
        let lane = keyback_companion::hashing::Lane::SignIn;
        let verdict = app
            .companion
            .hashing
            .verify(lane, &password(at), Some(&stored))
            .await
            .unwrap();
        right += usize::from(verdict != keyback_companion::hashing::Verdict::Wrong);
    }
    assert_eq!(right, 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn sr79_of_many_refreshes_with_one_token_at_once_the_family_survives() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..counts(100, 500) {
        let (client, session) = (app.site.client.clone(), session.clone());
        running.spawn(async move { client.refresh(&session).await });
    }
    let renewed: Vec<_> = running.join_all().await.into_iter().map(Result::unwrap).collect();
    let first = renewed[0].refresh_token();
    // A repeat within five seconds gets the same answer: no tab is thrown out by another.
    assert!(renewed.iter().all(|session| session.refresh_token() == first));
    assert!(app.site.client.refresh(&renewed[0]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sr78_an_authorization_code_is_exchanged_once() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let to_provider = browser.get_once(&app.site.at("/sign-in")).await;
    let to_shop = browser.get_once(to_provider.location().unwrap().as_str()).await;
    let callback = to_shop.location().unwrap();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..counts(100, 500) {
        let (tab, callback) = (browser.clone(), callback.clone());
        running.spawn(async move { tab.get_once(callback.as_str()).await.status });
    }
    let answers = running.join_all().await;
    assert!(
        answers.iter().filter(|status| **status == 303).count() <= 1,
        "{answers:?}"
    );
    assert!(
        answers.iter().all(|status| matches!(status, 303 | 400)),
        "{answers:?}"
    );
}
