//! `kill -9` at any moment leaves a database that starts, and an account with its old password or its new one.

use std::time::Duration;

use keyback_core::random::{Random as _, SystemRandom};
use keyback_tests::{ADA, Browser, Demo, OLD_PASSWORD, Workplace, counts, tell};

/// A reset from the first page to the last. It panics when the demo is gone, and nobody minds.
async fn reset(mut browser: Browser, password: String) {
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = loop {
        let inbox = browser.get_once("/dev/inbox.json").await;
        let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
        if let Some(code) = letters[0]["code"].as_str() {
            break code.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    browser.enter_code(&code).await;
    browser.choose_password(&password).await;
}

async fn signs_in(demo: &Demo, password: &str) -> bool {
    let mut browser = demo.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, password).await;
    browser.page().url.path() == "/account"
}

/// A moment of the second or so that a reset takes here.
fn moment() -> Duration {
    let mut bytes = [0; 2];
    SystemRandom.fill(&mut bytes);
    Duration::from_millis(u64::from(u16::from_be_bytes(bytes)) % 400)
}

#[tokio::test]
async fn sr53_the_old_password_or_the_new_one_whenever_the_power_goes() {
    let workplace = Workplace::empty();
    let folder = workplace.path("data");
    let data = ["--data", folder.to_str().unwrap()];
    let mut current = OLD_PASSWORD.to_owned();
    let mut demo = Demo::start(&data).await;
    let (mut old, mut new) = (0, 0);
    for round in 0..counts(20, 100) {
        let next = format!("round {round} of copper lanterns");
        // On this thread, so that what it says when its server dies is not shown.
        let running = tokio::spawn(reset(demo.browser(), next.clone()));
        tokio::time::sleep(moment()).await;
        demo.kill();
        running.abort();
        running.await.ok();
        demo = Demo::start(&data).await;
        match (signs_in(&demo, &current).await, signs_in(&demo, &next).await) {
            (true, false) => old += 1,
            (false, true) => {
                new += 1;
                current = next;
            }
            both => panic!("round {round}: old and new open the account: {both:?}"),
        }
    }
    tell(&format!(
        "the demo killed at any moment: {} kills, {old} times the old password, {new} times the new one, never neither",
        old + new
    ));
    assert_eq!(demo.terminate().await, Some(0));
    assert_whole(&folder.join("keyback.db")).await;
}

/// The database is sound, and no completed reset lacks its password or its notice.
async fn assert_whole(path: &std::path::Path) {
    let store = keyback_companion::store::Store::open(path).await.unwrap();
    let db = store.reader();
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(db)
        .await
        .unwrap();
    assert_eq!(sound, "ok");
    let orphans: Vec<(String,)> = sqlx::query_as("SELECT \"table\" FROM pragma_foreign_key_check")
        .fetch_all(db)
        .await
        .unwrap();
    assert!(orphans.is_empty(), "{orphans:?}");
    // Every flow has a challenge, every password change stands in the audit trail at the same moment.
    let flows: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM reset_flows WHERE id NOT IN (SELECT flow_id FROM challenges)",
    )
    .fetch_one(db)
    .await
    .unwrap();
    assert_eq!(flows, 0);
    let unexplained: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM credentials WHERE changed_at NOT IN \
         (SELECT at FROM audit WHERE event IN ('reset_completed', 'user_added'))",
    )
    .fetch_one(db)
    .await
    .unwrap();
    assert_eq!(unexplained, 0);
    store.close().await;
}
