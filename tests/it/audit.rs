//! The audit trail: what the worker writes into it, and how long it is kept.

use std::time::Duration;

use keyback_companion::config::duration::Span;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_tests::{ADA, Behaviour, MessageProvider, OLD_PASSWORD, TestApp, eventually};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

/// A line: actor, account, hash of the identifier, flow, and the rest.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Line {
    actor: String,
    subject: Option<String>,
    identifier: Option<String>,
    flow_id: Option<String>,
    detail: String,
}

/// The lines of an event, once there are any.
async fn lines(app: &TestApp, event: &str) -> Vec<Line> {
    eventually(event, async || {
        let lines: Vec<Line> = sqlx::query_as(
            "SELECT actor, subject, identifier, flow_id, detail FROM audit WHERE event = $1 ORDER BY rowid",
        )
        .bind(event)
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap();
        (!lines.is_empty()).then_some(lines)
    })
    .await
}

async fn ask(app: &TestApp, address: &str) {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(address).await;
    browser.assert_at("/forgot-password/code");
}

fn detail(line: &Line) -> Value {
    serde_json::from_str(&line.detail).unwrap()
}

/// A line of the worker's can be put together with that of the request, and names the account where there is one.
#[tokio::test]
async fn sr62_the_worker_tells_whether_a_code_was_sent_or_withheld() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    ask(&app, ADA).await;
    ask(&app, "nobody@example.com").await;
    let asked = lines(&app, "reset_requested").await;
    let sent = lines(&app, "code_sent").await.remove(0);
    let withheld = lines(&app, "code_withheld").await.remove(0);
    for (line, asked, subject) in [(sent, &asked[0], Some(id)), (withheld, &asked[1], None)] {
        assert_eq!((line.actor.as_str(), &line.subject), ("system", &subject));
        assert!(line.identifier.is_some() && line.flow_id.is_some());
        assert_eq!(
            (&line.identifier, &line.flow_id),
            (&asked.identifier, &asked.flow_id)
        );
        assert_eq!(detail(&line), json!({"channel": "email"}));
    }
}

/// SR-31: why it failed may hold what the server said, so the trail has no word of it.
#[tokio::test]
async fn sr62_each_try_of_a_code_that_can_not_be_sent_is_told() {
    let down = MessageProvider::start(Behaviour::Says(503, "", "ada@example.com is unknown here")).await;
    let app = TestApp::with(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(down.url.clone());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    ask(&app, ADA).await;
    let failed = lines(&app, "code_not_sent").await;
    let told = json!({"channel": "email", "tries": 1, "again": true});
    assert_eq!(detail(&failed[0]), told);
    down.behave(Behaviour::Says(200, "", ""));
    app.advance(Duration::from_secs(2));
    lines(&app, "code_sent").await;
    assert_eq!(app.audited("code_not_sent").await, 1);
}

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
