//! Mail servers that lie: visitors see nothing of it, the operator is told, and no mail is lost but one that was said to be taken.

use std::time::{Duration, Instant};

use keyback_companion::config::duration::Span;
use keyback_tests::{
    ADA, Behaviour, Browser, Mail, MessageProvider, OLD_PASSWORD, Server, SmtpManner, SmtpSink, TestApp,
    eventually,
};

use super::trouble::{failed_job, shown};
use crate::smtp::over_smtp;

/// What a mail server has for one mail.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than any page takes that doesn't wait for the mail server, and less than the mail server takes.
const QUICK: Duration = PATIENCE;

async fn with_mail_by(sink: &SmtpSink, patience: Duration) -> TestApp {
    let app = TestApp::with(|config| {
        over_smtp(config, sink.address);
        config.email.timeout = Span::seconds(patience.as_secs());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app
}

async fn ask(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    browser
}

/// All mails, once there are so many.
async fn until(sink: &SmtpSink, count: usize) -> Vec<Mail> {
    eventually("a mail", async || {
        Some(sink.mails()).filter(|mails| mails.len() >= count)
    })
    .await
}

fn message_id(mail: &Mail) -> &str {
    let mut lines = mail.data.lines();
    lines.find(|line| line.starts_with("Message-ID: ")).unwrap()
}

/// SR-34, SR-2: the answer is that of a good day, and comes before the mail server's time is over; the mail comes when it is back.
#[tokio::test]
async fn sr34_a_mail_server_that_lies_changes_no_answer_and_its_mail_comes_when_it_is_honest() {
    let honest = SmtpSink::start().await;
    let good_day = shown(&with_mail_by(&honest, PATIENCE).await, ADA).await;
    for (manner, told) in [
        (SmtpManner::Babbles(""), "not SMTP"),
        (SmtpManner::Babbles("RCPT"), "not SMTP"),
        (SmtpManner::Endless("", "x"), "doesn't end"),
        (SmtpManner::Endless("RCPT", "x"), "doesn't end"),
        (SmtpManner::Endless("RCPT", "250-and another\r\n"), "doesn't end"),
        (SmtpManner::HangsUp { keeps: false }, "not whole"),
        (SmtpManner::Dribbles(Duration::from_millis(100)), "in time"),
    ] {
        let sink = SmtpSink::in_manner(manner).await;
        let app = with_mail_by(&sink, PATIENCE).await;
        let began = Instant::now();
        let mut browser = ask(&app).await;
        assert!(began.elapsed() < QUICK, "{manner:?}: {:?}", began.elapsed());
        let page = (browser.page().status, browser.page().text());
        assert_eq!(page, good_day[0], "{manner:?}");
        // The operator reads what is wrong, and not whom it was for (SR-31).
        let (due_in, error) = failed_job(&app, 1).await;
        assert!(
            error.contains(told) && !error.contains(ADA),
            "{manner:?}: {error}"
        );
        assert_eq!(app.audited("code_not_sent").await, 1);
        assert!(sink.mails().is_empty());
        assert!(due_in > 0, "it is not tried again at once");
        sink.behave(SmtpManner::Takes);
        app.advance(Duration::from_millis(due_in.unsigned_abs()));
        browser
            .enter_code(&until(&sink, 1).await[0].code().unwrap())
            .await;
        browser.assert_at("/forgot-password/password");
    }
}

/// SR-34: whether it has the mail can't be known, so that it comes again, as the same one.
#[tokio::test]
async fn sr34_a_mail_whose_taking_was_not_said_comes_again_under_the_same_id() {
    let sink = SmtpSink::in_manner(SmtpManner::HangsUp { keeps: true }).await;
    let app = with_mail_by(&sink, PATIENCE).await;
    let mut browser = ask(&app).await;
    let (due_in, _) = failed_job(&app, 1).await;
    sink.behave(SmtpManner::Takes);
    app.advance(Duration::from_millis(due_in.unsigned_abs()));
    let both = until(&sink, 2).await;
    app.settle().await;
    assert_eq!(sink.mails().len(), 2);
    assert_eq!(message_id(&both[0]), message_id(&both[1]));
    assert_eq!(both[0].code().unwrap(), both[1].code().unwrap());
    browser.enter_code(&both[0].code().unwrap()).await;
    browser.assert_at("/forgot-password/password");
}

/// SR-34: what it says it has taken is its own to deliver. Nothing is sent twice, and whoever waits in vain asks again.
#[tokio::test]
async fn sr34_a_mail_that_was_said_to_be_taken_is_not_sent_again_and_another_can_be_asked_for() {
    let sink = SmtpSink::in_manner(SmtpManner::Forgets).await;
    let app = with_mail_by(&sink, PATIENCE).await;
    let mut browser = ask(&app).await;
    app.settle().await;
    assert_eq!(app.audited("code_sent").await, 1);
    sink.behave(SmtpManner::Takes);
    app.advance(Duration::from_secs(60));
    browser.resend().await;
    browser.assert_at("/forgot-password/code");
    app.settle().await;
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    browser.enter_code(&mails[0].code().unwrap()).await;
    browser.assert_at("/forgot-password/password");
}

/// SR-59: what it said of the recipient is its answer. Who waited for its goodbye would take that for one that did not come.
#[tokio::test]
async fn sr59_a_refusal_stands_though_the_goodbye_is_not_answered() {
    let sink = SmtpSink::in_manner(SmtpManner::RefusesAndHolds("550 5.1.1 nobody here")).await;
    let app = with_mail_by(&sink, PATIENCE).await;
    ask(&app).await;
    app.settle().await;
    assert_eq!(app.audited("code_not_sent").await, 1);
    assert_eq!(app.row_counts().await["jobs"], 0, "it is not tried again");
}

#[tokio::test]
async fn sr34_a_mail_server_that_speaks_in_dribs_gets_its_time() {
    let sink = SmtpSink::in_manner(SmtpManner::Dribbles(Duration::from_millis(5))).await;
    let app = with_mail_by(&sink, Duration::from_secs(20)).await;
    let mut browser = ask(&app).await;
    browser
        .enter_code(&until(&sink, 1).await[0].code().unwrap())
        .await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(app.audited("code_not_sent").await, 0);
}

/// SR-50: an answer that doesn't end is not kept, of a mail server as little as of a webhook.
#[tokio::test]
async fn sr50_answers_without_an_end_cost_no_memory() {
    let sink = SmtpSink::start().await;
    let peer = MessageProvider::start(Behaviour::Takes).await;
    let configured = |sound: String| {
        let sound = sink.in_place_of_the_inbox(&sound);
        let sound = sound.replace("security = \"none\"", "security = \"none\"\ntimeout = \"2s\"");
        format!(
            "{sound}[[webhook]]\nurl = \"{}hook\"\nsigning_key = \"{}\"\nallow_private = true\n\
             [password.hashing]\nthreads = 1\n",
            peer.url,
            "k".repeat(40)
        )
    };
    let server = Server::start_with(configured, "warn").await;
    let add = ["user", "add", "--email", ADA, "--password-stdin"];
    let added = server.workplace.run_with_input(&add, OLD_PASSWORD).await;
    added.assert_done();
    let reset = async |password: &str| {
        let mut browser = server.browser();
        let seen = sink.mails().len();
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        let mails = until(&sink, seen + 1).await;
        browser.enter_code(&mails[seen].code().unwrap()).await;
        browser.choose_password(password).await;
        browser.assert_at("/forgot-password/done");
        // With the notice.
        until(&sink, seen + 2).await;
    };
    // What a reset needs is there from then on.
    reset("a pair of new shoelaces").await;
    let before = server.memory("VmHWM");
    peer.behave(Behaviour::Endless);
    reset("another pair of shoelaces").await;
    eventually("both resets' events", async || {
        (peer.asked().len() >= 2).then_some(())
    })
    .await;
    sink.behave(SmtpManner::Endless("RCPT", "x"));
    let mut browser = server.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    eventually("the failure in the log", async || {
        server.log().contains("doesn't end").then_some(())
    })
    .await;
    let after = server.memory("VmHWM");
    assert!(
        after < before + 8 * 1024,
        "{before} KiB before, {after} KiB after"
    );
}
