//! "It wasn't me": the link of a notice freezes the account, and a reset by its owner thaws it.

use std::time::Duration;

use axum::http::Method;
use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::connectors::inbox::Letter;
use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp, counts};
use serde_json::{Value, json};
use url::Url;

use crate::races::race;
use crate::webhooks::hook;

pub(crate) const PHONE: &str = "+14155550123";
const NEW_PASSWORD_OF_THIEF: &str = "nobody hears me at the door";
pub(crate) const OWNERS_PASSWORD: &str = "a pair of new shoelaces";

/// Ada's account, and a thief who has reset it a second later.
async fn stolen() -> TestApp {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    reset(&app, ADA, NEW_PASSWORD).await;
    app
}

pub(crate) async fn reset(app: &TestApp, address: &str, password: &str) {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    browser.enter_code(&app.last_code_for(address).await).await;
    browser.choose_password(password).await;
    browser.assert_at("/forgot-password/done");
}

/// The link of the newest notice to an address.
async fn link_to(app: &TestApp, address: &str) -> Url {
    notice_to(app, address).await.1
}

/// The newest notice to an address, and its link.
pub(crate) async fn notice_to(app: &TestApp, address: &str) -> (Letter, Url) {
    let letters = app.letters_to(address).await;
    let mut notices = letters
        .into_iter()
        .filter(|letter| letter.kind.ends_with("-changed"));
    let notice = notices.next().unwrap();
    let start = format!("{}not-me?t=", app.url);
    let link = notice
        .text
        .split_whitespace()
        .find(|word| word.starts_with(&start));
    let link = Url::parse(link.unwrap_or_else(|| panic!("no link in {}", notice.text))).unwrap();
    (notice, link)
}

pub(crate) async fn freeze(app: &TestApp, link: &Url) -> Browser {
    let mut browser = app.browser();
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/not-me");
    browser.submit(form).await;
    browser
}

/// Whether a link freezes nothing any more.
pub(crate) async fn assert_stale(app: &TestApp, link: &Url) {
    let mut browser = app.browser();
    browser.open(link.as_str()).await;
    browser.assert_status(410);
}

pub(crate) async fn signs_in(app: &TestApp, password: &str) -> bool {
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, password).await;
    browser.page().url.path() == "/account"
}

#[tokio::test]
async fn sr59_the_owner_freezes_the_account_and_a_fresh_reset_thaws_it() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let mut thief = app.browser();
    thief.open(&app.site.at("/sign-in")).await;
    thief.sign_in(ADA, NEW_PASSWORD).await;
    let session = app.site.session_of(&thief).unwrap();
    // The thief also waits with a code, and with a proof, to take the account back.
    let mut waiting = app.browser();
    waiting.open("/forgot-password").await;
    waiting.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    app.advance(Duration::from_secs(60));
    // It works anywhere: this browser was never here.
    let mut owner = freeze(&app, &link).await;
    owner.assert_at("/not-me/frozen");
    owner.assert_says("Your account is frozen");
    assert_eq!(app.user(ADA).await.status, AccountStatus::Frozen);
    assert_eq!(app.audited("account_frozen").await, 1);
    thief.open("/account").await;
    thief.assert_at("/sign-in");
    assert!(app.site.client.user_info(&session).await.is_err());
    assert!(app.site.client.refresh(&session).await.is_err());
    waiting.enter_code(&code).await;
    waiting.assert_at("/forgot-password/code");
    assert!(!signs_in(&app, NEW_PASSWORD).await && !signs_in(&app, OLD_PASSWORD).await);
    owner.click("Choose a new password").await;
    owner.assert_at("/forgot-password");
    owner.ask_reset(ADA).await;
    owner.enter_code(&app.last_code_for(ADA).await).await;
    assert_eq!(
        app.user(ADA).await.status,
        AccountStatus::Frozen,
        "a code alone thaws nothing"
    );
    owner.choose_password(OWNERS_PASSWORD).await;
    owner.assert_at("/forgot-password/done");
    assert_eq!(app.user(ADA).await.status, AccountStatus::Active);
    assert_eq!(app.audited("account_thawed").await, 1);
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
    assert!(!signs_in(&app, NEW_PASSWORD).await);
}

/// A mail scanner opens, prefetches and renders links.
#[tokio::test]
async fn sr59_looking_at_the_link_does_nothing_however_often() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let rows = app.row_counts().await;
    let http = reqwest::Client::new();
    for _ in 0..20 {
        for method in [Method::GET, Method::HEAD] {
            let answer = http.request(method, link.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.headers()["referrer-policy"], "same-origin");
        }
    }
    assert_eq!(app.row_counts().await, rows);
    assert_eq!(app.user(ADA).await.status, AccountStatus::Active);
    let mut browser = app.browser();
    browser.open(link.as_str()).await;
    browser.assert_says("Wasn’t it you?");
    browser.page().assert_guarded();
    // A form of another site presses no button.
    let foreign = http
        .post(app.url.join("/not-me").unwrap())
        .header("origin", "https://evil.example");
    let foreign = foreign.header("content-type", "application/x-www-form-urlencoded");
    let answer = foreign
        .body(link.query().unwrap().to_owned())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(app.row_counts().await, rows);
}

#[tokio::test]
async fn sr59_a_link_works_once_and_for_three_days() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    app.advance(Duration::from_secs(72 * 3_600 - 1));
    freeze(&app, &link).await.assert_at("/not-me/frozen");
    let again = app.browser().get_once(link.as_str()).await;
    assert_eq!(again.status, 410);
    assert!(again.text().contains("This link no longer works"));
    let late = stolen().await;
    let link = link_to(&late, ADA).await;
    let mut browser = late.browser();
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/not-me");
    // Another companion's is none of ours, and neither is what somebody makes up.
    let foreign = link_to(&app, ADA).await;
    let (_, token) = foreign.query_pairs().next().unwrap();
    assert_eq!(
        browser.post_once(&form.clone().fill("t", &token)).await.status,
        410
    );
    late.advance(Duration::from_secs(72 * 3_600));
    assert_eq!(browser.post_once(&form).await.status, 410);
    assert_eq!(late.user(ADA).await.status, AccountStatus::Active);
    for made_up in ["/not-me", "/not-me?t=abc", "/not-me?t=a&t=b"] {
        assert!(
            (400..500).contains(&app.browser().get_once(made_up).await.status),
            "{made_up}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sr59_of_a_hundred_presses_at_once_one_freezes() {
    let count = counts(100, 500);
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let mut browser = app.browser();
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/not-me");
    let answers = race(&browser, std::iter::repeat_n(form, count)).await;
    let of = |status: u16| answers.iter().filter(|page| page.status == status).count();
    assert_eq!((of(303), of(410)), (1, count - 1));
    assert_eq!(app.audited("account_frozen").await, 1);
}

#[tokio::test]
async fn sr59_the_token_rests_as_a_digest() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let (_, token) = link.query_pairs().next().unwrap();
    assert_eq!(token.len(), 22, "128 bits");
    for file in std::fs::read_dir(app.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(token.len()).any(|part| part == token.as_bytes());
        assert!(!found, "the token stands in the database");
    }
}

#[tokio::test]
async fn sr59_a_changed_password_is_contested_like_a_reset_one() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    let mut thief = app.browser();
    thief.open("/account/password").await;
    thief.sign_in(ADA, OLD_PASSWORD).await;
    thief.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    thief.assert_says("Password changed");
    freeze(&app, &link_to(&app, ADA).await)
        .await
        .assert_at("/not-me/frozen");
    thief.open("/account").await;
    thief.assert_at("/sign-in");
    reset(&app, ADA, OWNERS_PASSWORD).await;
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
}

/// What a thief has brought along since does not open a frozen account; the operator can.
#[tokio::test]
async fn sr59_only_an_address_verified_before_the_change_thaws() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let user = app.user(ADA).await;
    // The thief's number, verified after the change that is contested.
    sqlx::query("UPDATE users SET phone = $2, phone_verified = TRUE, phone_verified_at = $3 WHERE id = $1")
        .bind(&user.id)
        .bind(PHONE)
        .bind(user.updated_at().as_millis() + 1)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    freeze(&app, &link).await.assert_says("Choose a new password");
    let mut thief = app.browser();
    thief.open("/forgot-password").await;
    thief.ask_reset(PHONE).await;
    thief.assert_at("/forgot-password/code");
    app.settle().await;
    let letters = app.letters_to(PHONE).await;
    assert!(letters.iter().all(|letter| letter.code.is_none()), "a decoy");
    // Where there is no older address at all, the page says who can help.
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    sqlx::query("UPDATE users SET email_verified_at = $1")
        .bind(app.user(ADA).await.updated_at().as_millis() + 1)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    let owner = freeze(&app, &link).await;
    owner.assert_at("/not-me/frozen");
    owner.assert_says("Ask the people behind Larkspur Books");
    assert_eq!(owner.page().link("Choose a new password"), None);
    app.set_status(&app.user(ADA).await.id, AccountStatus::Active)
        .await;
    assert!(signs_in(&app, NEW_PASSWORD).await);
}

/// A reset thaws what is frozen: the operator's word must not become that.
#[tokio::test]
async fn sr59_a_disabled_account_stays_disabled() {
    let app = stolen().await;
    let link = link_to(&app, ADA).await;
    let id = app.user(ADA).await.id;
    app.set_status(&id, AccountStatus::Disabled).await;
    freeze(&app, &link).await.assert_says("Ask the people behind");
    assert_eq!(app.user(ADA).await.status, AccountStatus::Disabled);
    // Its link is used up, so the password that it contests must not come back with the account.
    app.set_status(&id, AccountStatus::Active).await;
    assert!(!signs_in(&app, NEW_PASSWORD).await);
}

/// A thief who reads the mailbox gets the mail's link too. Whoever has the phone needs it not.
#[tokio::test]
async fn sr59_a_stolen_mailbox_is_contested_from_the_phone() {
    let app = TestApp::start().await;
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        phone: Some(PHONE.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    reset(&app, ADA, NEW_PASSWORD).await;
    let thiefs = link_to(&app, ADA).await;
    let (notice, link) = notice_to(&app, PHONE).await;
    assert!(notice.text.len() <= 160 && link != thiefs, "{}", notice.text);
    // The thief can use up a link of the mailbox, and none of another address.
    freeze(&app, &thiefs).await;
    reset(&app, ADA, NEW_PASSWORD_OF_THIEF).await;
    // What the thaw has settled freezes nothing; it was told to the phone with a link of its own.
    assert_stale(&app, &link).await;
    let (_, link) = notice_to(&app, PHONE).await;
    freeze(&app, &link).await.assert_at("/not-me/frozen");
    assert_eq!(app.user(ADA).await.status, AccountStatus::Frozen);
    reset(&app, PHONE, OWNERS_PASSWORD).await;
    assert!(signs_in(&app, OWNERS_PASSWORD).await);
}

#[tokio::test]
async fn sr59_an_account_with_a_phone_alone_is_contested_by_text_message() {
    let app = TestApp::start().await;
    let ada = NewUser {
        phone: Some(PHONE.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    reset(&app, PHONE, NEW_PASSWORD).await;
    assert_eq!(app.row_counts().await["freeze_links"], 1);
    freeze(&app, &link_to(&app, PHONE).await)
        .await
        .assert_says("Choose a new password");
    reset(&app, PHONE, OWNERS_PASSWORD).await;
    assert_eq!(app.user(PHONE).await.status, AccountStatus::Active);
}

/// Where no text message can be sent, none is promised: a link that nobody gets is none to be guessed.
#[tokio::test]
async fn sr59_no_link_is_made_for_an_address_that_no_connector_reaches() {
    let app = TestApp::with(|config| config.sms.connector = None).await;
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        phone: Some(PHONE.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    reset(&app, ADA, NEW_PASSWORD).await;
    assert_eq!(app.row_counts().await["freeze_links"], 1);
    link_to(&app, ADA).await;
}

/// Others learn of it as of any change of the account: it was no reset, and nobody's call.
#[tokio::test]
async fn sr59_a_webhook_is_told_of_the_freeze() {
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = TestApp::with(|config| config.webhooks = vec![hook(&peer, &WebhookEvent::ALL)]).await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    reset(&app, ADA, NEW_PASSWORD).await;
    let link = link_to(&app, ADA).await;
    app.settle().await;
    let of_reset = peer.asked().len();
    freeze(&app, &link).await;
    app.settle().await;
    let asked = peer.asked();
    assert_eq!(asked.len(), of_reset + 1);
    let body: Value = serde_json::from_str(&asked[of_reset].body).unwrap();
    assert_eq!(body["event"], "User.Data.Updated");
    assert_eq!(
        (&body["data"]["id"], &body["data"]["primaryEmail"]),
        (&json!(id), &json!(ADA))
    );
    assert_eq!(body["data"]["isSuspended"], true);
    assert_eq!(body["ip"], "127.0.0.1");
    for absent in [
        "interactionEvent",
        "sessionId",
        "application",
        "path",
        "method",
        "params",
    ] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    let (_, token) = link.query_pairs().next().unwrap();
    assert!(!asked.iter().any(|asked| asked.body.contains(&*token)));
}
