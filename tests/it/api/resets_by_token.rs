//! A reset by a one-time token: the site makes it, sends it in a mail of its own, and hands it over with the
//! authorization request.

use std::time::Duration;

use keyback::FirstScreen;
use keyback::logto::management::{OneTimeToken, OneTimeTokenPurpose};
use keyback_companion::store::account_status::AccountStatus;
use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, counts};
use serde_json::json;

use super::*;

const BOB: &str = "bob@example.com";
const PAGE: &str = "/forgot-password/token";
const OVER: &str = "This link no longer works";
const TEN_MINUTES: Duration = Duration::from_secs(600);

pub(super) async fn with_ada() -> TestApp {
    let app = with_backend(|config| config.limits.factor = 1_000).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app
}

async fn made_for(app: &TestApp, email: &str, purpose: OneTimeTokenPurpose) -> OneTimeToken {
    management(app)
        .create_one_time_token(email, purpose, TEN_MINUTES)
        .await
        .unwrap()
}

pub(super) async fn made(app: &TestApp) -> OneTimeToken {
    made_for(app, ADA, OneTimeTokenPurpose::ForgotPassword).await
}

/// Goes where the shop's link leads.
pub(super) async fn open(app: &TestApp, browser: &mut Browser, token: &str, hint: &str) {
    let asked = app.site.client.forgot_password();
    let started = asked
        .login_hint(hint)
        .one_time_token(token)
        .start()
        .await
        .unwrap();
    browser.open(started.url.as_str()).await;
}

pub(super) async fn at_the_button(app: &TestApp, token: &OneTimeToken) -> Browser {
    let mut browser = app.browser();
    open(app, &mut browser, token.token(), ADA).await;
    browser.assert_at(PAGE);
    browser.assert_status(200);
    browser
}

async fn go_on(browser: &mut Browser) {
    let form = browser.page().form_to(PAGE);
    browser.submit(form).await;
}

async fn status_of(app: &TestApp, token: &OneTimeToken) -> Value {
    let bearer = machine_token(app, BACKEND).await;
    let path = format!("/api/one-time-tokens/{}", token.id);
    call(app, &bearer, Method::GET, &path, Value::Null).await.body["status"].clone()
}

#[tokio::test]
async fn sr27_a_token_leads_to_the_new_password_and_is_no_sign_in() {
    let app = with_ada().await;
    let token = made(&app).await;
    let mut browser = at_the_button(&app, &token).await;
    browser.assert_says(ADA);
    browser.page().assert_guarded();
    go_on(&mut browser).await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(status_of(&app, &token).await, "consumed");
    assert_eq!(app.audited("token_accepted").await, 1);
    let account = browser.get_once("/account").await;
    assert_eq!(account.location().unwrap().path(), "/sign-in");
    // SR-46: a refused password costs a try and not the proof.
    browser.choose_password("ada1234").await;
    browser.assert_status(422);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    assert_eq!(app.audited("password_rejected").await, 1);
    assert_eq!(app.audited("reset_completed").await, 1);
    // The shop's request waits still; the new password answers it.
    browser.click("Sign in").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    assert!(
        browser.hops().iter().any(|hop| hop.url.path() == "/callback"),
        "{:?}",
        browser.hops()
    );
    assert_eq!(app.letters_to(ADA).await[0].kind, "password-changed");
}

/// SR-30: the link in the shop's mail leads here by redirects alone.
#[tokio::test]
async fn sr30_twenty_looks_use_no_token_up() {
    let app = with_ada().await;
    let token = made(&app).await;
    let mut browser = at_the_button(&app, &token).await;
    let before = app.row_counts().await;
    for _ in 0..20 {
        let mut scanner = app.browser();
        open(&app, &mut scanner, token.token(), ADA).await;
        scanner.assert_at(PAGE);
        scanner.assert_status(200);
        browser.reload().await;
        browser.assert_status(200);
    }
    let mut after = app.row_counts().await;
    // The companion's own token for the shop's server aside.
    after.insert("machine_tokens".to_owned(), before["machine_tokens"]);
    assert_eq!(after, before);
    assert_eq!(status_of(&app, &token).await, "active");
    go_on(&mut browser).await;
    browser.assert_at("/forgot-password/password");
}

/// SR-21: of many at once, in many browsers, one gets the proof; and it gets there by whichever of its presses is answered.
#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_a_hundred_that_bring_a_token_at_once_one_gets_the_proof() {
    let app = with_ada().await;
    let token = made(&app).await;
    let mut waiting = Vec::new();
    for _ in 0..counts(50, 150) {
        waiting.push(at_the_button(&app, &token).await);
    }
    let mut running = tokio::task::JoinSet::new();
    // In each browser it is pressed twice.
    for (number, browser) in waiting.iter().enumerate().chain(waiting.iter().enumerate()) {
        let (tab, form) = (browser.clone(), browser.page().form_to(PAGE));
        running.spawn(async move { (number, tab.post_once(&form).await) });
    }
    let answers = running.join_all().await;
    assert!(
        answers
            .iter()
            .all(|(_, page)| page.status == 303 || page.status == 410)
    );
    let led: Vec<_> = answers.iter().filter(|(_, page)| page.status == 303).collect();
    let [(one, first), (other, second)] = led[..] else {
        panic!("{} were led on", led.len());
    };
    assert_eq!(one, other, "both presses are of one browser");
    assert_eq!(first.location().unwrap().path(), "/forgot-password/password");
    assert_eq!(first.location(), second.location());
    assert_eq!(app.audited("token_accepted").await, 1);
    assert_eq!(app.row_counts().await["reset_flows"], 1);
}

/// SR-21: a browser drops the answer to the first press when it is pressed again, so the second one leads there too; and to who
/// looks at the page once more. Every other browser finds the token used.
#[tokio::test]
async fn sr21_a_second_press_in_the_same_browser_leads_on_too() {
    let app = with_ada().await;
    let token = made(&app).await;
    let mut browser = at_the_button(&app, &token).await;
    let mut other = at_the_button(&app, &token).await;
    let button = browser.page().url.to_string();
    let form = browser.page().form_to(PAGE);
    // Its answer reaches nobody, with the cookie that it brought.
    assert_eq!(browser.post_once(&form).await.status, 303);
    let rows = app.row_counts().await;
    browser.submit(form.clone()).await;
    browser.assert_at("/forgot-password/password");
    browser.open(&button).await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(app.row_counts().await, rows);
    assert_eq!(app.audited("token_accepted").await, 1);
    // The link opened anew, in this browser or another, is another request.
    go_on(&mut other).await;
    other.assert_status(410);
    let mut tab = browser.clone();
    open(&app, &mut tab, token.token(), ADA).await;
    tab.assert_status(410);
    // The request's name opens nothing without its cookie.
    let mut thief = app.browser();
    thief.open(&button).await;
    thief.assert_status(400);
    thief.submit(form.clone()).await;
    thief.assert_status(400);
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    // What it opened is over.
    assert_eq!(browser.post_once(&form).await.status, 410);
    assert_eq!(browser.get_once(&button).await.status, 410);
}

/// SR-23, SR-26: whatever is wrong with a token, there is one page, to the letter; so there is where nobody has the address.
#[tokio::test]
async fn sr23_sr26_what_does_not_serve_gets_one_page() {
    let app = with_ada().await;
    app.add_user(BOB, Some(OLD_PASSWORD)).await;
    let eve = app.add_user("eve@example.com", Some(OLD_PASSWORD)).await;
    app.set_status(&eve, AccountStatus::Disabled).await;
    let bearer = machine_token(&app, BACKEND).await;
    let body_of = |browser: &Browser| {
        let page = browser.page();
        let id = page.url.query().unwrap().to_owned();
        (page.status, page.body.replace(&id, "i=…"))
    };
    // What never was a token is told at the look.
    let mut browser = app.browser();
    open(&app, &mut browser, "no token of ours", ADA).await;
    browser.assert_at(PAGE);
    browser.assert_status(410);
    browser.assert_says(OVER);
    let expected = body_of(&browser);
    browser.click("Choose a new password").await;
    browser.assert_at("/forgot-password");

    let of_bob = made_for(&app, BOB, OneTimeTokenPurpose::ForgotPassword).await;
    let to_sign_in = made_for(&app, ADA, OneTimeTokenPurpose::SignIn).await;
    for (token, hint) in [
        (&of_bob, ADA),
        (&to_sign_in, ADA),
        (&of_bob, "no address"),
        (&of_bob, "+14155550123"),
    ] {
        open(&app, &mut browser, token.token(), hint).await;
        assert_eq!(body_of(&browser), expected, "{hint}");
        assert_eq!(status_of(&app, token).await, "active");
    }
    // What comes between the look and the button.
    let (used, revoked, expired) = (made(&app).await, made(&app).await, made(&app).await);
    let mut tabs = Vec::new();
    for token in [&used, &revoked, &expired] {
        tabs.push(at_the_button(&app, token).await);
    }
    go_on(&mut at_the_button(&app, &used).await).await;
    let path = format!("/api/one-time-tokens/{}/status", revoked.id);
    call(&app, &bearer, Method::PUT, &path, json!({ "status": "revoked" })).await;
    for tab in &mut tabs[..2] {
        go_on(tab).await;
        assert_eq!(body_of(tab), expected);
        tab.reload().await;
        assert_eq!(body_of(tab), expected);
    }
    // Nobody's, and of somebody who may not reset: they look as Ada's own until the button is pressed.
    for nobodys in ["nobody@example.com", "eve@example.com"] {
        let token = made_for(&app, nobodys, OneTimeTokenPurpose::ForgotPassword).await;
        open(&app, &mut browser, token.token(), nobodys).await;
        browser.assert_status(200);
        browser.assert_says(nobodys);
        go_on(&mut browser).await;
        assert_eq!(body_of(&browser), expected, "{nobodys}");
    }
    app.advance(TEN_MINUTES);
    go_on(&mut tabs[2]).await;
    assert_eq!(body_of(&tabs[2]), expected);
    assert_eq!(app.audited("token_accepted").await, 1);
}

/// SR-28: the token opens this flow in this browser, and no other request makes more of it.
#[tokio::test]
async fn sr28_the_proof_of_a_token_is_bound_to_its_browser_and_address() {
    let app = with_ada().await;
    let bob = app.add_user(BOB, Some(OLD_PASSWORD)).await;
    let before = app.password_hash(&bob).await;
    let mut browser = at_the_button(&app, &made(&app).await).await;
    // What the form doesn't have makes no difference.
    let action = browser.page().form_to(PAGE).action;
    let more = [
        ("identifier", BOB),
        ("login_hint", BOB),
        ("subject", &*bob),
        ("password", NEW_PASSWORD),
    ];
    let more = more
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    browser.post_from_here(&action, more).await;
    browser.assert_at("/forgot-password/password");
    let address = browser.page().url.to_string();
    let form = browser
        .page()
        .form_with("password")
        .fill("password", NEW_PASSWORD);
    let mut thief = app.browser();
    thief.open(&address).await;
    thief.assert_at("/forgot-password");
    thief.submit(form.clone()).await;
    thief.assert_at("/forgot-password");
    assert_eq!(app.audited("reset_completed").await, 0);
    // No code can be asked for or tried in such a flow.
    let query = browser.page().url.query().unwrap().to_owned();
    for path in ["/forgot-password/code", "/forgot-password/code/resend"] {
        let mut code = form.clone();
        code.action = app.url.join(&format!("{path}?{query}")).unwrap();
        code.fields = vec![("code".to_owned(), "123456".to_owned())];
        let answer = browser.post_once(&code).await;
        assert_eq!(answer.status, 303);
        assert_eq!(
            answer.location().unwrap().path(),
            "/forgot-password/password",
            "{path}"
        );
    }
    browser.submit(form).await;
    browser.assert_at("/forgot-password/done");
    assert_eq!(app.password_hash(&bob).await, before);
}

/// SR-24: a reset by another way ends what was opened by a token.
#[tokio::test]
async fn sr24_another_reset_ends_the_proof_of_a_token() {
    let app = with_ada().await;
    let mut browser = at_the_button(&app, &made(&app).await).await;
    let unused = made(&app).await;
    go_on(&mut browser).await;
    browser.assert_at("/forgot-password/password");
    let mut other = app.browser();
    other.open("/forgot-password").await;
    other.ask_reset(ADA).await;
    other.enter_code(&app.last_code_for(ADA).await).await;
    other.choose_password(NEW_PASSWORD).await;
    other.assert_at("/forgot-password/done");
    browser.choose_password("a pair of new shoelaces").await;
    browser.assert_at("/forgot-password");
    assert_eq!(status_of(&app, &unused).await, "revoked");
    assert_eq!(app.audited("reset_completed").await, 1);
}

/// SR-29: what waits for the person holds the digest alone, where it is too large for its cookie too.
#[tokio::test]
async fn sr29_a_token_rests_nowhere_on_its_way() {
    let app = with_ada().await;
    let token = made(&app).await;
    let mut browser = app.browser();
    let asked = app.site.client.forgot_password().login_hint(ADA);
    let started = asked.one_time_token(token.token()).start().await.unwrap();
    let large = format!("{}&ui_locales={}", started.url, "en+".repeat(800));
    browser.open(&large).await;
    browser.assert_at(PAGE);
    assert_eq!(app.row_counts().await["interactions"], 1);
    assert!(!browser.page().body.contains(token.token()));
    go_on(&mut browser).await;
    browser.assert_at("/forgot-password/password");
    for hop in browser.hops() {
        assert!(!hop.url.as_str().contains(token.token()), "{hop:?}");
    }
    app.companion.store.close().await;
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(app.folder().join(name)).unwrap_or_default();
        let secret = token.token().as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret),
            "{name}"
        );
    }
}

/// Logto's magic link is not offered: elsewhere than at a reset the token has no effect, and stays what it is.
#[tokio::test]
async fn a_token_signs_nobody_in() {
    let app = with_ada().await;
    let token = made_for(&app, ADA, OneTimeTokenPurpose::SignIn).await;
    let mut browser = app.browser();
    let asked = app.site.client.sign_in().first_screen(FirstScreen::SignIn);
    let started = asked
        .login_hint(ADA)
        .one_time_token(token.token())
        .start()
        .await
        .unwrap();
    browser.open(started.url.as_str()).await;
    browser.assert_at("/sign-in");
    assert_eq!(status_of(&app, &token).await, "active");
    // A reset without the address that the token is for asks for it.
    let started = app.site.client.forgot_password().one_time_token(token.token());
    browser.open(started.start().await.unwrap().url.as_str()).await;
    browser.assert_at("/forgot-password");
}
