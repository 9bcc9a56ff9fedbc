//! Mail over real SMTP connections: authentication, a mail server that is down, and one that is slow.

use std::net::SocketAddr;
use std::time::Duration;

use keyback_companion::config::Config;
use keyback_companion::config::app::Secret;
use keyback_companion::config::messages::{EmailConnectorKind, MailboxText, SmtpSecurity};
use keyback_companion::store::jobs::{self, Free};
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, SmtpSink, TestApp, eventually};

pub(crate) fn over_smtp(config: &mut Config, server: SocketAddr) {
    config.email.connector = Some(EmailConnectorKind::Smtp);
    config.email.from = Some(MailboxText(
        "Larkspur Books <hello@larkspur.example>".parse().unwrap(),
    ));
    config.email.reply_to = Some(MailboxText("help@larkspur.example".parse().unwrap()));
    config.email.host = Some(server.ip().to_string());
    config.email.port = Some(server.port());
    config.email.security = SmtpSecurity::None;
    config.email.username = Some("keyback".to_owned());
    config.email.password = Some(Secret::new("a mail password"));
}

async fn first_mail(sink: &SmtpSink) -> keyback_tests::Mail {
    eventually("a mail", async || sink.mails().first().cloned()).await
}

#[tokio::test]
async fn sr08_a_code_arrives_over_smtp_in_a_mail_of_two_forms() {
    let sink = SmtpSink::start().await;
    let app = TestApp::with(|config| over_smtp(config, sink.address)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let mail = first_mail(&sink).await;
    let (name, password) = mail.credentials.clone().unwrap();
    assert_eq!((name.as_str(), password.as_str()), ("keyback", "a mail password"));
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("hello@larkspur.example", &[ADA.to_owned()][..])
    );
    for header in [
        "From: \"Larkspur Books\" <hello@larkspur.example>",
        "Reply-To: help@larkspur.example",
        "To: ada@example.com",
        "Content-Type: multipart/alternative",
        "Auto-Submitted: auto-generated",
        "Message-ID: <",
        "Date: ",
    ] {
        assert!(mail.data.contains(header), "{header}: {}", mail.data);
    }
    let code = mail.code().unwrap();
    assert!(mail.part("text/html").unwrap().contains(&code));
    // The address is that of the configuration, whatever the request was sent to (SR-8).
    browser.enter_code(&code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    let mails = eventually("the notice", async || {
        Some(sink.mails()).filter(|mails| mails.len() == 2)
    })
    .await;
    assert!(mails[1].data.contains("Subject: ") && !mails[1].data.contains(NEW_PASSWORD));
}

#[tokio::test]
async fn sr34_while_the_mail_server_is_down_the_answer_is_the_same_and_the_mail_comes_later() {
    // A port that nobody listens on any more.
    let gone = SmtpSink::start().await;
    let address = gone.address;
    drop(gone);
    let app = TestApp::with(|config| over_smtp(config, address)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    // Reachability never changes a page.
    browser.click("Forgot password?").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    browser.assert_status(200);
    let (attempts, run_at) = first_failure(&app).await;
    assert_eq!(attempts, 1);
    let wait = run_at - app.clock.now().as_millis();
    assert!(wait > 0, "it is tried again later, not at once");
    let sink = SmtpSink::listen(address, Duration::ZERO).await;
    assert!(sink.mails().is_empty());
    app.advance(Duration::from_millis(wait.unsigned_abs()));
    let code = first_mail(&sink).await.code().unwrap();
    app.settle().await;
    assert_eq!(sink.mails().len(), 1);
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr34_a_mail_that_can_not_be_sent_is_given_up_when_its_code_is_too_old() {
    let gone = SmtpSink::start().await;
    let address = gone.address;
    drop(gone);
    let app = TestApp::with(|config| over_smtp(config, address)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    // A try that began in time may still deliver: none is under way when time goes on.
    first_failure(&app).await;
    app.advance(Duration::from_secs(601));
    app.settle().await;
    let sink = SmtpSink::listen(address, Duration::ZERO).await;
    app.companion.sweep().await.unwrap();
    assert_eq!(app.row_counts().await["jobs"], 0);
    assert!(sink.mails().is_empty());
}

/// Waits until a job has failed: how often it was tried, and when it is tried again.
async fn first_failure(app: &TestApp) -> (i64, i64) {
    eventually("the first failure", async || {
        sqlx::query_as("SELECT attempts, run_at FROM jobs WHERE last_error IS NOT NULL")
            .fetch_optional(app.companion.store.reader())
            .await
            .unwrap()
    })
    .await
}

#[tokio::test]
async fn sr02_a_slow_mail_server_slows_no_page() {
    let sink = SmtpSink::slow(Duration::from_secs(2)).await;
    let app = TestApp::with(|config| over_smtp(config, sink.address)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    for address in [ADA, "bob@example.com"] {
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        let form = browser.page().form_with("identifier").fill("identifier", address);
        assert_eq!(browser.post_once(&form).await.status, 303);
    }
    // Both pages were there before the mail server, with six answers of two seconds each, had taken the first mail.
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn sr04_nothing_leaves_for_an_unknown_address() {
    let sink = SmtpSink::start().await;
    let app = TestApp::with(|config| over_smtp(config, sink.address)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset("bob@example.com").await;
    browser.assert_at("/forgot-password/code");
    app.settle().await;
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn sr34_the_job_of_a_worker_that_died_is_taken_again_and_sends_the_same_code() {
    let sink = SmtpSink::start().await;
    let app = TestApp::with(|config| over_smtp(config, sink.address)).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    // Every job is born leased to a worker that will never come back.
    let lease = app.clock.now() + Duration::from_secs(120);
    let sql = format!(
        "CREATE TRIGGER dead AFTER INSERT ON jobs BEGIN UPDATE jobs SET lease_until = {} WHERE id = NEW.id; END",
        lease.as_millis()
    );
    let db = app.companion.store.writer();
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(db).await.unwrap();
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    app.advance(Duration::from_secs(119));
    let now = app.clock.now();
    let free = Free {
        email: 10,
        sms: 10,
        calls: 10,
    };
    let due = jobs::take(db, now, Duration::from_secs(1), free, &[]).await;
    assert!(due.unwrap().is_empty());
    assert!(sink.mails().is_empty());
    app.advance(Duration::from_secs(1));
    let mail = first_mail(&sink).await;
    app.settle().await;
    assert_eq!(sink.mails().len(), 1);
    browser.enter_code(&mail.code().unwrap()).await;
    browser.assert_at("/forgot-password/password");
}
