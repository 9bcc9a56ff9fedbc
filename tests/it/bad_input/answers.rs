//! What every answer carries, and what no answer tells.

use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn sr67_every_page_of_the_way_is_guarded() {
    async fn guarded(browser: &Browser) {
        let page = browser.page();
        page.assert_guarded();
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("object-src 'none'") && policy.contains("form-action 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    for path in [
        "/sign-in",
        "/forgot-password",
        "/signed-out",
        "/dev/inbox",
        "/no-such-page",
    ] {
        browser.open(path).await;
        guarded(&browser).await;
    }
    browser.open(&app.site.at("/forgot-password")).await;
    guarded(&browser).await;
    browser.ask_reset(ADA).await;
    guarded(&browser).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    guarded(&browser).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    guarded(&browser).await;
    browser.click("Sign in").await;
    guarded(&browser).await;
    // The way back to the app, and no other origin.
    let policy = browser.page().header("content-security-policy");
    let shop = app.site.url.origin().ascii_serialization();
    assert!(
        policy.contains(&format!("form-action 'self' {shop};")),
        "{policy}"
    );
    browser.sign_in(ADA, keyback_tests::NEW_PASSWORD).await;
    for path in ["/account", "/account/password", "/sign-out"] {
        browser.open(path).await;
        guarded(&browser).await;
    }
}

#[tokio::test]
async fn sr68_when_the_database_fails_the_page_tells_a_number_and_no_cause() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    sqlx::query("ALTER TABLE reset_flows RENAME TO gone")
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    browser.ask_reset(ADA).await;
    browser.assert_status(500);
    browser.page().assert_guarded();
    browser.assert_says("Something broke, and it’s our fault");
    assert!(browser.page().text_of("code").is_some_and(|id| id.len() >= 16));
    for word in ["reset_flows", "table", "SQL", "database"] {
        assert!(!browser.page().text().contains(word), "{word}");
    }
    // Nothing of it was half written: the transaction began with the flow.
    assert_eq!(app.row_counts().await["challenges"], 0);
    assert_eq!(app.row_counts().await["jobs"], 0);
}

#[tokio::test]
async fn sr53_a_full_disk_loses_nothing_half_writes_nothing_and_is_over_when_it_is_over() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    let waiting = browser.clone();
    let rows = app.row_counts().await;
    // What SQLite does when it can't write: it takes the transaction back by itself, in the middle of it.
    for table in ["jobs", "audit"] {
        let sql = format!(
            "CREATE TRIGGER full_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ROLLBACK, 'full'); END"
        );
        let db = app.companion.store.writer();
        sqlx::query(AssertSqlSafe(sql)).execute(db).await.unwrap();
    }
    for _ in 0..3 {
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        browser.assert_status(500);
        browser.page().assert_guarded();
    }
    let mut browser = waiting;
    browser.enter_code(&code).await;
    browser.assert_status(500);
    // Limits were asked and an attempt was counted, each a write of its own; of all else there is nothing.
    let mut now = app.row_counts().await;
    now.insert("limits".to_owned(), rows["limits"]);
    assert_eq!(now, rows);
    for table in ["jobs", "audit"] {
        let db = app.companion.store.writer();
        let sql = AssertSqlSafe(format!("DROP TRIGGER full_{table}"));
        sqlx::query(sql).execute(db).await.unwrap();
    }
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}
