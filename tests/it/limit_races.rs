//! What is limited, asked for many times at once: what there is goes out to the last, and no more.

use keyback_companion::config::Config;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, OLD_PASSWORD, Server, TestApp, counts, wire};
use tokio::task::JoinSet;
use url::Url;

use crate::journeys::captcha::{FIELD, Provider};
use crate::journeys::codes::wrong;
use crate::races::{leading_to, race};

#[tokio::test(flavor = "multi_thread")]
async fn sr05_of_a_hundred_that_ask_at_once_from_one_address_so_many_get_a_code() {
    let count = counts(100, 500);
    let app = TestApp::with(|config| config.limits.sends_per_address = 20).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    let form = browser.page().form_with("identifier");
    let all = (0..count).map(|at| {
        form.clone()
            .fill("identifier", &format!("number{at}@example.com"))
    });
    let answers = race(&browser, all).await;
    assert_eq!(leading_to(&answers, "/forgot-password/code").len(), 20);
    let refused = answers.iter().filter(|page| page.status == 429).count();
    assert_eq!(refused, count - 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr13_of_a_hundred_with_one_answer_to_the_captcha_at_once_one_gets_a_code() {
    let count = counts(100, 500);
    let provider = Provider::start().await;
    let captcha = provider.config();
    let app = TestApp::with(|config| {
        config.captcha = captcha;
        config.limits.factor = 1_000;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    let mut form = browser.page().form_with("identifier").fill("identifier", ADA);
    form.fields.push((FIELD.to_owned(), "an answer".to_owned()));
    let answers = race(&browser, std::iter::repeat_n(form, count)).await;
    assert_eq!(leading_to(&answers, "/forgot-password/code").len(), 1);
    let refused = answers.iter().filter(|page| page.status == 422).count();
    assert_eq!(refused, count - 1);
    assert_eq!(provider.asked().len(), 1);
    assert_eq!(app.letters_to(ADA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr14_of_a_hundred_numbers_asked_for_at_once_so_many_get_a_text_message_of_the_day() {
    let count = counts(100, 500);
    let app = TestApp::with(|config: &mut Config| {
        config.limits.factor = 1_000;
        config.sms.messages_per_day = 10;
        config.sms.messages_per_prefix = 10_000;
    })
    .await;
    let number = |at: usize| format!("+1415{}", 5_550_100 + at);
    for at in 0..count {
        let user = NewUser {
            phone: Some(number(at)),
            verified: true,
            ..NewUser::default()
        };
        app.add(user, None).await;
    }
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    let form = browser.page().form_with("identifier");
    let all = (0..count).map(|at| form.clone().fill("identifier", &number(at)));
    let answers = race(&browser, all).await;
    assert_eq!(leading_to(&answers, "/forgot-password/code").len(), count);
    let mut sent = 0;
    for at in 0..count {
        sent += app.letters_to(&number(at)).await.len();
    }
    assert_eq!(sent, 10);
    let held_back = i64::try_from(count - 10).unwrap();
    assert_eq!(app.audited("text_message_held_back").await, held_back);
}

/// Over all codes of an address: each of these has tries of its own left.
#[tokio::test(flavor = "multi_thread")]
async fn sr20_of_a_hundred_wrong_codes_at_once_so_many_are_taken() {
    let app = TestApp::with(|config| {
        let limits = &mut config.limits;
        limits.sends_per_identifier = 1_000;
        limits.live_codes_per_identifier = 1_000;
        limits.sends_per_address = 1_000;
        limits.codes_per_address = 1_000;
        limits.codes_per_identifier = 1_000;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut running = JoinSet::new();
    let mut guesses = Vec::new();
    for _ in 0..counts(20, 100) {
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        let guess = wrong(&app.last_code_for(ADA).await);
        let form = browser.page().form_with("code").fill("code", &guess);
        guesses.extend(std::iter::repeat_n((browser, form), 5));
    }
    let count = guesses.len();
    for (browser, form) in guesses {
        running.spawn(async move { browser.post_once(&form).await.status });
    }
    let answers = running.join_all().await;
    let of = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    // As many as one by one: ten that are free, and the one that is kept for a client not yet seen.
    assert_eq!((of(422), of(429)), (11, count - 11));
    assert_eq!(app.audited("code_accepted").await, 0);
}

/// Two processes on one database have one count: asked in turns, and all at once.
#[tokio::test(flavor = "multi_thread")]
async fn sr05_two_processes_count_what_one_address_asks_for_together() {
    let mut server = Server::start("[limits]\nsends_per_address = 20\n", "warn").await;
    let own = server.url.port().unwrap();
    let ports = [own, server.start_beside().await];
    let mut asked = JoinSet::new();
    for at in 0..counts(100, 500) {
        let url = Url::parse(&format!("http://localhost:{}", ports[at % 2])).unwrap();
        let body = format!("identifier=number{at}%40example.com");
        let request = format!(
            "POST /forgot-password HTTP/1.1\r\nHost: localhost:{own}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        asked.spawn(async move { wire::status(&wire::exchange(&url, request.as_bytes()).await) });
    }
    let statuses = asked.join_all().await;
    let of = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((of(303), of(429)), (20, statuses.len() - 20), "{statuses:?}");
}
