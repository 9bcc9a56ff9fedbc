//! The audit trail: what the worker writes into it, and how long it is kept.

use std::time::Duration;

use keyback_companion::config::duration::Span;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::outbox::{
    AddressChanged, ChangedBy, CodePurpose, LogoutNotice, PasswordChanged, SendCode, WebhookDelivery,
};
use keyback_core::identifier::Identifier;
use keyback_core::ids::JobId;
use keyback_core::random::SystemRandom;
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, Behaviour, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp, eventually};
use serde_json::{Value, json};

use crate::webhooks::hook;

const DAY: Duration = Duration::from_secs(86_400);

/// A line: actor, account, hash of the identifier, flow, app, and the rest.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Line {
    actor: String,
    subject: Option<String>,
    identifier: Option<String>,
    flow_id: Option<String>,
    client_id: Option<String>,
    detail: String,
}

/// The lines of an event, once there are any.
async fn lines(app: &TestApp, event: &str) -> Vec<Line> {
    eventually(event, async || {
        let lines: Vec<Line> = sqlx::query_as(
            "SELECT actor, subject, identifier, flow_id, client_id, detail FROM audit WHERE event = $1 ORDER BY rowid",
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

/// Who reads a code by a link shows where from; how often they press doesn't matter.
#[tokio::test]
async fn sr62_a_code_that_a_link_shows_elsewhere_is_told_once_for_each_client() {
    let app = TestApp::with(|config| {
        config.reset.links = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/reset-password?client_id=shop").await;
    browser.ask_reset(ADA).await;
    let letter = app.letters_to(ADA).await.remove(0);
    let is_link = |word: &&str| word.contains("/forgot-password/link?t=");
    let link = letter.text.split_whitespace().find(is_link).unwrap().to_owned();
    for client in [7, 7, 8] {
        let from = std::net::IpAddr::from([192, 0, 2, client]);
        let mut phone = app.browser().that_comes_from(from);
        phone.open(&link).await;
        let press = phone.page().form_to("/forgot-password/link");
        for _ in 0..2 {
            phone.submit(press.clone()).await;
            phone.assert_status(200);
        }
    }
    let code = app.last_code_for(ADA).await;
    let asked = lines(&app, "reset_requested").await.remove(0);
    let shown = lines(&app, "code_shown").await;
    assert_eq!(shown.len(), 2);
    for line in &shown {
        assert_eq!(line.actor, "visitor");
        assert_eq!(line.client_id.as_deref(), Some("shop"));
        assert_eq!(
            (&line.identifier, &line.flow_id),
            (&asked.identifier, &asked.flow_id)
        );
        assert!(!format!("{line:?}").contains(&code));
    }
    let from: Vec<String> =
        sqlx::query_scalar("SELECT client_ip FROM audit WHERE event = 'code_shown' ORDER BY rowid")
            .fetch_all(app.companion.store.reader())
            .await
            .unwrap();
    assert_eq!(from, ["192.0.2.7", "192.0.2.8"]);
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

/// Each over HTTP: what may be mended is tried again, and a refusal is final.
#[tokio::test]
async fn sr62_notices_logout_tokens_and_webhooks_that_did_not_arrive_are_told() {
    let down = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let app = TestApp::with(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(down.url.clone());
        config.webhooks = vec![hook(&down, &[WebhookEvent::UserDataUpdated])];
        let shop = &mut config.apps[0];
        shop.backchannel_logout_uri = Some(shop.redirect_uris[0].join("/backchannel-logout").unwrap());
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.site.answer_logout(400, "");
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.open("/account/password").await;
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_says("Password changed");
    for (event, app_id, told) in [
        (
            "notice_not_sent",
            None,
            json!({"channel": "email", "tries": 1, "again": true}),
        ),
        ("app_not_told", Some("shop"), json!({"tries": 1, "again": false})),
        ("webhook_not_told", None, json!({"tries": 1, "again": true})),
    ] {
        let line = lines(&app, event).await.remove(0);
        assert_eq!(
            (line.actor.as_str(), line.subject.as_ref()),
            ("system", Some(&id)),
            "{event}"
        );
        assert_eq!(line.client_id.as_deref(), app_id, "{event}");
        assert_eq!(detail(&line), told, "{event}");
    }
}

/// A job of each kind, whose time is over this very moment.
async fn expired_jobs(app: &TestApp, user_id: &str) {
    let (outbox, db, now) = (
        &app.companion.outbox,
        app.companion.store.writer(),
        app.clock.now(),
    );
    let (to, long_ago) = (Identifier::parse(ADA).unwrap(), now - 3 * DAY);
    let order = SendCode {
        challenge_id: "nobody-s".to_owned(),
        identifier: to.clone(),
        code: "123456".to_owned().into(),
        client_id: None,
        expires_at: now,
        purpose: CodePurpose::App,
        link: None,
    };
    let id = JobId::draw(&SystemRandom);
    outbox
        .send_ordered(db, &id, &order, long_ago, long_ago)
        .await
        .unwrap();
    let password = PasswordChanged {
        to: to.clone(),
        user_id: user_id.to_owned(),
        client_id: None,
        changed_at: long_ago,
        by: ChangedBy::Reset,
        sessions_ended: 0,
        freeze_token: None,
    };
    outbox.password_changed(db, &password).await.unwrap();
    let address = AddressChanged {
        to,
        user_id: user_id.to_owned(),
        changed_at: long_ago,
        email: true,
        phone: false,
        freeze_token: None,
    };
    outbox.address_changed(db, &address).await.unwrap();
    let logout = LogoutNotice {
        client_id: "shop".to_owned(),
        user_id: user_id.to_owned(),
        session_id: "sid".to_owned(),
        ended_at: long_ago,
    };
    outbox.tell_logout(db, &logout).await.unwrap();
    let webhook = WebhookDelivery {
        hook_id: "any".to_owned(),
        user_id: user_id.to_owned(),
        event: "PostResetPassword".to_owned(),
        body: "{}".to_owned(),
        created_at: long_ago,
    };
    outbox.webhook(db, &webhook).await.unwrap();
}

async fn jobs(app: &TestApp) -> i64 {
    app.row_counts().await["jobs"]
}

async fn run(app: &TestApp, sql: &'static str) {
    sqlx::raw_sql(sql)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
}

/// As after a stop of days. Where the trail can't be written nothing is erased.
#[tokio::test]
async fn sr62_what_expires_before_a_worker_takes_it_is_told_as_it_is_erased() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    run(
        &app,
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .await;
    expired_jobs(&app, &id).await;
    app.companion.sweep().await.unwrap_err();
    assert_eq!(jobs(&app).await, 5);
    run(&app, "DROP TRIGGER full").await;
    app.companion.sweep().await.unwrap();
    assert_eq!(jobs(&app).await, 0);
    let expired = |channel: Option<&str>| {
        let mut told = json!({"tries": 0, "expired": true});
        if let Some(channel) = channel {
            told["channel"] = channel.into();
        }
        told
    };
    let code = lines(&app, "code_not_sent").await.remove(0);
    assert_eq!(
        (code.subject.as_ref(), detail(&code)),
        (None, expired(Some("email")))
    );
    assert!(code.identifier.is_some());
    for (event, times, channel) in [
        ("notice_not_sent", 2, Some("email")),
        ("app_not_told", 1, None),
        ("webhook_not_told", 1, None),
    ] {
        let told = lines(&app, event).await;
        assert_eq!(told.len(), times, "{event}");
        for line in told {
            assert_eq!(
                (line.actor.as_str(), line.subject.as_ref()),
                ("system", Some(&id))
            );
            assert_eq!(detail(&line), expired(channel), "{event}");
        }
    }
}

/// It tells its end by itself, and would be told twice.
#[tokio::test]
async fn sr62_what_a_worker_has_in_hand_is_not_erased_beneath_it() {
    let app = TestApp::start().await;
    run(
        &app,
        "CREATE TRIGGER in_hand AFTER INSERT ON jobs BEGIN \
         UPDATE jobs SET lease_until = expires_at + 1 WHERE id = NEW.id; END",
    )
    .await;
    expired_jobs(&app, "nobody").await;
    app.companion.sweep().await.unwrap();
    assert_eq!((jobs(&app).await, app.audited("notice_not_sent").await), (5, 0));
    app.advance(Duration::from_millis(1));
    app.companion.sweep().await.unwrap();
    assert_eq!((jobs(&app).await, app.audited("notice_not_sent").await), (0, 2));
}

/// An app and a webhook that are gone from the configuration are told nothing, and no line says that they were.
#[tokio::test]
async fn sr62_who_is_not_there_any_more_is_passed_over() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    expired_jobs(&app, &id).await;
    run(
        &app,
        "UPDATE jobs SET expires_at = expires_at + 60000, lane = 'calls' WHERE kind IN ('logout', 'webhook')",
    )
    .await;
    for event in ["app_passed_over", "webhook_passed_over"] {
        assert_eq!(lines(&app, event).await.remove(0).subject.as_ref(), Some(&id));
    }
    assert_eq!(
        app.audited("app_told").await + app.audited("webhook_told").await,
        0
    );
}

/// What a newer code has replaced, or a reset has made needless.
#[tokio::test]
async fn sr62_a_code_that_is_withdrawn_before_it_was_sent_is_told() {
    let down = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let app = TestApp::with(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(down.url.clone());
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    lines(&app, "code_not_sent").await;
    app.advance(Duration::from_secs(61));
    // Tried again by now, or in hand: of what is in hand the end is told by the worker.
    run(&app, "UPDATE jobs SET lease_until = 0, run_at = run_at + 600000").await;
    browser.resend().await;
    let asked = lines(&app, "reset_requested").await.remove(0);
    let withdrawn = lines(&app, "code_withdrawn").await.remove(0);
    assert_eq!(
        (&withdrawn.identifier, &withdrawn.flow_id),
        (&asked.identifier, &asked.flow_id)
    );
    eventually("the second code to wait", async || {
        (app.audited("code_not_sent").await == 2).then_some(())
    })
    .await;
    run(&app, "UPDATE jobs SET lease_until = 0, run_at = run_at + 600000").await;
    let mut tx = app.companion.store.begin().await.unwrap();
    let endings = &app.companion.endings;
    endings
        .cut_off(&mut tx, &id, None, app.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let withdrawn = lines(&app, "code_withdrawn").await;
    assert_eq!(withdrawn[1].subject.as_ref(), Some(&id));
    assert_eq!(jobs(&app).await, 0);
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
