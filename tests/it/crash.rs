//! `kill -9` of the demo at any moment leaves a database that starts, and an account with its old password and its session, or
//! its new one, no session and its notice.

use std::path::Path;
use std::time::{Duration, Instant};

use keyback_companion::store::Store;
use keyback_core::random::{self, SystemRandom};
use keyback_core::testing::SeededRandom;
use keyback_tests::{ADA, Browser, Demo, Workplace, counts, tell};

use crate::kill::moment;

/// A reset from the first page to the last. It panics when the demo is gone, and nobody minds.
async fn reset(mut browser: Browser, password: String) {
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = loop {
        let inbox = browser.get_once("/dev/inbox.json").await;
        let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
        let mut letters = letters.as_array().unwrap().iter();
        if let Some(code) = letters.find_map(|letter| letter["code"].as_str()) {
            break code.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    browser.enter_code(&code).await;
    browser.choose_password(&password).await;
}

/// A browser that is signed in, where the password does that.
async fn sign_in(demo: &Demo, password: &str) -> Option<Browser> {
    let mut browser = demo.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, password).await;
    (browser.page().url.path() == "/account").then_some(browser)
}

/// Whether a browser that was signed in before the demo was started again still is. The demo has another port each time.
async fn is_signed_in(browser: &Browser, demo: &Demo) -> bool {
    let page = demo.companion.join("/account").unwrap();
    browser.get_once(page.as_str()).await.status == 200
}

/// As if ten minutes had passed: of the codes of one address no more than five live at a time, and no more than two are on their
/// way, those that a killed worker held among them.
async fn codes_run_out(path: &Path) {
    let store = Store::open(path).await.unwrap();
    sqlx::raw_sql(
        "UPDATE challenges SET expires_at = 0; \
         UPDATE jobs SET expires_at = 0, lease_until = 0 WHERE reference IN (SELECT id FROM challenges)",
    )
    .execute(store.writer())
    .await
    .unwrap();
    store.close().await;
}

#[tokio::test]
async fn sr53_the_old_password_or_the_new_one_whenever_the_power_goes() {
    let workplace = Workplace::empty();
    let folder = workplace.path("data");
    let database = folder.join("keyback.db");
    let seed = u64::from_be_bytes(random::bytes(&SystemRandom));
    // Said first: whoever looks into a failure begins with it.
    println!("the moments are drawn from the seed {seed}");
    let moments = SeededRandom::new(seed);
    let data = ["--data", folder.to_str().unwrap()];
    let mut demo = Demo::start(&data).await;
    // How long a reset takes here.
    let began = Instant::now();
    let mut current = "the first of the copper lanterns".to_owned();
    reset(demo.browser(), current.clone()).await;
    let mut span = began.elapsed();
    let mut owner = sign_in(&demo, &current).await.unwrap();
    let (mut old, mut new) = (0, 0);
    for round in 0..counts(60, 200) {
        let next = format!("round {round} of copper lanterns");
        // On this thread, so that what it says when its server dies is not shown.
        let running = tokio::spawn(reset(demo.browser(), next.clone()));
        tokio::time::sleep(moment(&moments, span)).await;
        demo.kill();
        running.abort();
        running.await.ok();
        codes_run_out(&database).await;
        demo = Demo::start(&data).await;
        let is_signed_in = is_signed_in(&owner, &demo).await;
        match (sign_in(&demo, &current).await, sign_in(&demo, &next).await) {
            (Some(_), None) => {
                assert!(is_signed_in, "round {round}: the session of the old password");
                old += 1;
                // It follows what else the machine does, so that some are killed before and some after the change.
                span = span.mul_f64(1.05);
            }
            (None, Some(browser)) => {
                assert!(!is_signed_in, "round {round}: no session outlives the reset");
                new += 1;
                span = span.mul_f64(0.85);
                current = next;
                owner = browser;
            }
            (old, new) => panic!(
                "round {round}: old and new open the account: {:?}",
                (old.is_some(), new.is_some())
            ),
        }
    }
    assert_eq!(demo.terminate().await, Some(0));
    let notices = assert_whole(&database, new + 1).await;
    assert!(
        old > 0 && new > 0,
        "{old} times the old password, {new} times the new one"
    );
    tell(&format!(
        "the demo killed at any moment (seed {seed}): {} kills, {old} times the old password with its session, {new} times the \
         new one with none; {notices} notices promised, each sent or about to be",
        old + new
    ));
}

/// The database is sound, and no completed reset lacks its password or its notices, which are counted.
async fn assert_whole(path: &Path, resets: usize) -> i64 {
    let store = Store::open(path).await.unwrap();
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
    // A notice that was sent is one that was waiting, in one transaction.
    let [completed, addresses, sent, waiting]: [i64; 4] = {
        let mut counted = [0; 4];
        for (count, sql) in counted.iter_mut().zip([
            "SELECT COUNT(*) FROM audit WHERE event = 'reset_completed'",
            "SELECT SUM((email IS NOT NULL AND email_verified) + (phone IS NOT NULL AND phone_verified)) FROM users",
            "SELECT COUNT(*) FROM audit WHERE event = 'notice_sent'",
            "SELECT COUNT(*) FROM jobs WHERE kind = 'password-changed'",
        ]) {
            *count = sqlx::query_scalar(sql).fetch_one(db).await.unwrap();
        }
        counted
    };
    assert_eq!(usize::try_from(completed).unwrap(), resets);
    assert_eq!(
        sent + waiting,
        completed * addresses,
        "{sent} sent, {waiting} waiting"
    );
    store.close().await;
    completed * addresses
}
