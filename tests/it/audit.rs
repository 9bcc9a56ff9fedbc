//! The audit trail: how long it is kept.

use std::time::Duration;

use keyback_companion::config::duration::Span;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn sr86_lines_are_forgotten_when_their_time_is_over_and_no_sooner() {
    let app = TestApp::with(|config| config.audit.kept = Span::days(30)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    app.advance(29 * DAY);
    app.companion.sweep().await.unwrap();
    assert_eq!(app.audited("sign_in_failed").await, 1);
    app.advance(DAY);
    app.companion.sweep().await.unwrap();
    assert_eq!(
        app.audited("sign_in_failed").await,
        1,
        "thirty days old, and kept so long"
    );
    app.advance(Duration::from_millis(1));
    app.companion.sweep().await.unwrap();
    assert_eq!(app.audited("sign_in_failed").await, 0);
}

/// After a shorter time was configured there are many to forget, in several parts.
#[tokio::test]
async fn sr86_a_great_many_lines_are_forgotten_by_one_sweep() {
    let app = TestApp::start().await;
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
         INSERT INTO audit (id, at, event, actor) SELECT 'old' || i, i, 'sign_in_failed', 'visitor' FROM n",
    )
    .execute(app.companion.store.writer())
    .await
    .unwrap();
    app.companion.sweep().await.unwrap();
    assert_eq!(app.audited("sign_in_failed").await, 0);
}
