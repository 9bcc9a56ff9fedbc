//! More work at once than there is room for.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp, counts};

#[tokio::test(flavor = "multi_thread")]
async fn sr50_who_finds_no_room_to_hash_is_asked_to_come_back_and_the_pages_go_on() {
    let app = TestApp::with(|config| {
        // More than the real cost, one thread, and a queue that is soon full however slowly requests come.
        config.hashing = Config::default().hashing;
        config.hashing.iterations = 40;
        config.hashing.threads = 1;
        config.hashing.queue = 4;
        config.limits.factor = 1_000;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    let form = browser.page().form_with("password");
    let form = form.fill("identifier", ADA).fill("password", OLD_PASSWORD);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..counts(100, 1_000) {
        let (tab, form) = (app.browser(), form.clone());
        running.spawn(async move { tab.post_once(&form).await });
    }
    // Meanwhile a page that needs no hash.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(browser.get_once("/forgot-password").await.status, 200);
    let answers = running.join_all().await;
    let of = |status: u16| answers.iter().filter(|page| page.status == status).count();
    assert!(of(303) >= 1, "some get in");
    assert!(of(503) >= 1, "some are asked to come back");
    assert_eq!(of(303) + of(503), answers.len());
    for page in answers.iter().filter(|page| page.status == 503) {
        let wait: u64 = page.header("retry-after").parse().unwrap();
        assert!(wait >= 1);
        page.assert_guarded();
        assert!(page.text().contains("Many people are signing in right now."));
    }
    // And it is over when it is over.
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_resets_of_many_people_at_once_all_come_through() {
    let app = TestApp::with(|config| config.limits.factor = 1_000).await;
    let people = counts(30, 300);
    let mut running = tokio::task::JoinSet::new();
    for at in 0..people {
        app.add_user(&format!("person{at}@example.com"), None).await;
    }
    for at in 0..people {
        let mut browser = app.browser();
        running.spawn(async move {
            browser.open("/forgot-password").await;
            browser.ask_reset(&format!("person{at}@example.com")).await;
            browser
        });
    }
    let mut browsers = running.join_all().await;
    app.settle().await;
    let mut choosing = tokio::task::JoinSet::new();
    while let Some(mut browser) = browsers.pop() {
        let text = browser.page().text();
        let address = text
            .split_whitespace()
            .find(|word| word.contains('@'))
            .unwrap()
            .to_owned();
        let code = app.last_code_for(&address).await;
        choosing.spawn(async move {
            browser.enter_code(&code).await;
            browser
                .choose_password(&format!("lanterns of {}", code.repeat(2)))
                .await;
            browser.page().url.path().to_owned()
        });
    }
    let ends = choosing.join_all().await;
    assert!(
        ends.iter().all(|path| path == "/forgot-password/done"),
        "{ends:?}"
    );
    assert_eq!(
        app.audited("reset_completed").await,
        i64::try_from(people).unwrap()
    );
}
