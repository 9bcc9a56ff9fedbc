//! Peers that are down are left alone, and nothing else waits for them (SR-87).

use std::collections::BTreeSet;
use std::time::Duration;

use keyback_companion::config::Config;
use keyback_companion::config::duration::Span;
use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::store::users::NewUser;
use keyback_tests::{
    Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, Server, SmtpManner, SmtpSink, TestApp,
    eventually, free_port,
};
use serde_json::Value;
use url::Url;

use super::{PHONE, code_of, message, over_http};
use crate::smtp::over_smtp;
use crate::webhooks::hook;

/// More than can fail before a circuit opens: five, and those that were begun beside them.
pub(super) const PEOPLE: usize = 16;
/// Five that open a circuit. The fifth can have seven others beside it.
const MOST_TRIED: i64 = 12;
/// As long as any pause of a circuit that opens for the first time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Each of another owner: of one, few messages are under way at a time.
pub(super) fn address(at: usize) -> String {
    format!("person{at}@house{at}.example")
}

/// With accounts that have an e-mail address each.
pub(super) async fn with_people(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(|config| {
        config.limits.factor = 1_000;
        change(config);
    })
    .await;
    for at in 0..PEOPLE {
        app.add_user(&address(at), Some(OLD_PASSWORD)).await;
    }
    app
}

pub(super) async fn ask(app: &TestApp, typed: &str) -> Browser {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(typed).await;
    browser.assert_at("/forgot-password/code");
    browser
}

/// The tries of each job that waits, and whether somebody is at it, the oldest job first.
async fn jobs(app: &TestApp) -> Vec<(i64, bool)> {
    sqlx::query_as("SELECT attempts, lease_until > 0 FROM jobs ORDER BY rowid")
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap()
}

/// Time passes, and slowly enough for what is under way not to outlive its lease.
pub(super) async fn a_second(app: &TestApp) {
    app.advance(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(25)).await;
}

/// Waits until nobody is at any job, and looks at their tries.
pub(super) async fn tries_at_rest(app: &TestApp) -> Vec<i64> {
    eventually("the jobs to rest", async || {
        let jobs = jobs(app).await;
        let rest = jobs.iter().all(|(_, is_taken)| !is_taken);
        rest.then(|| jobs.iter().map(|(tries, _)| *tries).collect())
    })
    .await
}

pub(super) async fn is_open(app: &TestApp, circuit: &str) {
    eventually("the circuit to open", async || {
        let open = app.companion.breakers.open();
        open.iter()
            .any(|open| open.circuit.to_string() == circuit)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn sr87_while_the_mail_server_hangs_text_messages_and_webhooks_arrive() {
    // It is still silent when this test has long ended: whoever waits for it waits for ever.
    let mail = SmtpSink::in_manner(SmtpManner::Hangs).await;
    let gateway = MessageProvider::start(Behaviour::Takes).await;
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = with_people(|config| {
        over_smtp(config, mail.address);
        config.email.timeout = Span::seconds(60);
        over_http(config, &gateway);
        config.webhooks = vec![hook(&peer, &[WebhookEvent::PostResetPassword])];
    })
    .await;
    let user = NewUser {
        phone: Some(PHONE.to_owned()),
        email: Some("ada@example.com".to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(user, Some(OLD_PASSWORD)).await;
    for at in 0..PEOPLE {
        ask(&app, &address(at)).await;
    }
    eventually("every place for mail to be taken", async || {
        (mail.connections() >= 4).then_some(())
    })
    .await;
    let mut browser = ask(&app, PHONE).await;
    let said: Value = serde_json::from_str(&message(&gateway, 1).await.body).unwrap();
    let code = code_of(said["payload"]["text"].as_str().unwrap());
    browser.enter_code(&code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    // The notice by text message, and the webhook.
    message(&gateway, 2).await;
    message(&peer, 1).await;
    assert!(mail.mails().is_empty());
    eventually("the mails to be left, and nothing else", async || {
        (jobs(&app).await.len() == PEOPLE + 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn sr87_a_mail_server_that_is_down_is_left_alone_and_asked_by_one_until_it_is_back() {
    for manner in [
        SmtpManner::Refuses("421 4.3.2 closed for today"),
        SmtpManner::Hangs,
    ] {
        let mail = SmtpSink::in_manner(manner).await;
        let app = with_people(|config| {
            over_smtp(config, mail.address);
            config.email.timeout = Span::seconds(1);
        })
        .await;
        for at in 0..PEOPLE {
            ask(&app, &address(at)).await;
        }
        is_open(&app, "email").await;
        let tries = tries_at_rest(&app).await;
        let tried = |tries: &[i64]| tries.iter().sum::<i64>();
        assert!((5..=MOST_TRIED).contains(&tried(&tries)), "{manner:?}: {tries:?}");
        // Who comes now costs the mail server nothing, and is answered as ever.
        let connections = mail.connections();
        ask(&app, &address(0)).await;
        ask(&app, "nobody@example.com").await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let at_rest = tries_at_rest(&app).await;
        assert_eq!(
            at_rest.len(),
            PEOPLE + 2,
            "the made-up one waits as the others do"
        );
        assert_eq!(
            (tried(&at_rest), mail.connections()),
            (tried(&tries), connections)
        );

        // One finds out that it is still down: no other has spent a try.
        app.advance(FIRST_PAUSE);
        eventually("the probe", async || {
            (mail.connections() > connections).then_some(())
        })
        .await;
        let after_probe = tries_at_rest(&app).await;
        assert_eq!(
            tried(&after_probe),
            tried(&tries) + 1,
            "{manner:?}: {after_probe:?}"
        );
        assert_eq!(app.companion.breakers.open().len(), 1);

        mail.behave(SmtpManner::Takes);
        eventually("all mails", async || {
            a_second(&app).await;
            (mail.mails().len() > PEOPLE).then_some(())
        })
        .await;
        app.settle().await;
        assert_eq!(app.companion.breakers.open(), []);
        let to: BTreeSet<_> = mail.mails().iter().flat_map(|mail| mail.to.clone()).collect();
        assert_eq!((mail.mails().len(), to.len()), (PEOPLE + 1, PEOPLE), "each once");
        assert!(mail.mails()[0].code().is_some());
        assert_eq!(app.row_counts().await["jobs"], 0);
    }
}

/// A stranger who asks for codes to what the mail server won't take keeps nobody's mail back.
#[tokio::test]
async fn sr87_refusals_of_single_mails_open_nothing() {
    for refusal in ["451 4.7.1 come back later", "550 5.1.1 nobody here"] {
        let mail = SmtpSink::in_manner(SmtpManner::RefusesRecipients(refusal)).await;
        let app = with_people(|config| over_smtp(config, mail.address)).await;
        for at in 0..PEOPLE - 1 {
            ask(&app, &address(at)).await;
        }
        let first_tries = if refusal.starts_with('4') { PEOPLE - 1 } else { 0 };
        eventually("each to be refused", async || {
            (tries_at_rest(&app).await == vec![1; first_tries]).then_some(())
        })
        .await;
        assert_eq!(app.companion.breakers.open(), []);
        mail.behave(SmtpManner::Takes);
        ask(&app, &address(PEOPLE - 1)).await;
        eventually("the mail", async || {
            mail.mails()
                .iter()
                .any(|mail| mail.to == [address(PEOPLE - 1)])
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn sr87_a_webhook_that_is_down_is_left_alone_and_each_accounts_events_stay_in_order() {
    let down = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let sound = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = with_people(|config| {
        let events = [WebhookEvent::PostResetPassword, WebhookEvent::UserDataUpdated];
        config.webhooks = vec![hook(&down, &events), hook(&sound, &events)];
    })
    .await;
    for at in 0..PEOPLE {
        let mut browser = ask(&app, &address(at)).await;
        browser.enter_code(&code_for(&app, &address(at)).await).await;
        browser.choose_password(NEW_PASSWORD).await;
        browser.assert_at("/forgot-password/done");
    }
    let told = |peer: &MessageProvider| -> Vec<(String, String)> {
        let bodies = peer.asked().into_iter();
        let bodies = bodies.map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap());
        bodies
            .map(|body| {
                let user = body["user"]["id"].as_str().or(body["data"]["id"].as_str());
                (
                    user.unwrap().to_owned(),
                    body["event"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    eventually("the other webhook to be told of all", async || {
        (told(&sound).len() == 2 * PEOPLE).then_some(())
    })
    .await;
    let open = eventually("the circuit to open", async || {
        app.companion.breakers.open().into_iter().next()
    })
    .await;
    assert!(open.cause.contains("answered 503"), "{}", open.cause);
    // At most two were under way when the fifth failed.
    assert!((5..=6).contains(&told(&down).len()), "{:?}", told(&down));
    let ready = Browser::at(&app.admin).get_once("/readyz").await;
    assert_eq!(ready.status, 200, "nobody's traffic belongs elsewhere for it");
    assert!(ready.body.starts_with("ok\nwebhook:"), "{}", ready.body);
    assert!(ready.body.contains("answered 503"), "{}", ready.body);
    let metrics = Browser::at(&app.admin).get_once("/metrics").await.body;
    for line in [
        "keyback_circuits_open{peer=\"webhook\"} 1\n",
        "keyback_circuits_open{peer=\"email\"} 0\n",
        "keyback_circuits_opened_total{peer=\"webhook\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    let failed = told(&down).len();
    down.behave(Behaviour::Says(200, "", ""));
    eventually("everything to be told", async || {
        a_second(&app).await;
        (told(&down).len() == failed + 2 * PEOPLE).then_some(())
    })
    .await;
    let told = told(&down).split_off(failed);
    let mut reset = BTreeSet::new();
    for (user, event) in told {
        if event == "PostResetPassword" {
            assert!(reset.insert(user), "each once");
        } else {
            assert!(reset.contains(&user), "that it was a reset comes first");
        }
    }
    app.settle().await;
    assert_eq!(app.companion.breakers.open(), []);
}

/// The code of a person, whether or not other jobs are done.
async fn code_for(app: &TestApp, address: &str) -> String {
    eventually("the code", async || {
        let letters = app.companion.inbox.as_ref().unwrap().letters();
        letters
            .into_iter()
            .find(|letter| letter.to == address)
            .and_then(|letter| letter.code)
    })
    .await
}

/// As an operator sees it: of a process, by its log, and by `/readyz`, which visitors can't reach.
#[tokio::test]
async fn sr87_operators_are_told_why_mail_waits_and_when_it_goes_on() {
    let mail = SmtpSink::in_manner(SmtpManner::Refuses("421 4.3.2 closed for today")).await;
    let admin = free_port();
    let server = Server::start_with(
        |sound| {
            mail.in_place_of_the_inbox(&sound).replace(
                "[server]\n",
                &format!("[server]\nadmin_listen = \"127.0.0.1:{admin}\"\n"),
            ) + "[limits]\nfactor = 1000\n"
        },
        "info",
    )
    .await;
    for at in 0..6 {
        let add = ["user", "add", "--email", &address(at)];
        server.workplace.run(&add).await.assert_done();
    }
    let ask = async |at: usize| {
        let mut browser = server.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(&address(at)).await;
        browser.assert_at("/forgot-password/code");
    };
    for at in 0..5 {
        ask(at).await;
    }
    let line = |what: &'static str| {
        let log = server.log();
        log.lines().find(|line| line.contains(what)).map(str::to_owned)
    };
    let opened = eventually("the line of the log", async || {
        line("is left alone after 5 failures")
    })
    .await;
    for word in ["WARN", "circuit=email", "the mail server answered 421"] {
        assert!(opened.contains(word), "{opened}");
    }
    let admin = Browser::at(&Url::parse(&format!("http://127.0.0.1:{admin}")).unwrap());
    let ready = admin.get_once("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.contains("email: left alone since 20"),
        "{}",
        ready.body
    );
    assert_eq!(server.browser().get_once("/readyz").await.status, 404);
    mail.behave(SmtpManner::Takes);
    let closed = eventually("the line of the log", async || line("is called as before")).await;
    assert!(
        closed.contains("INFO") && closed.contains("circuit=email"),
        "{closed}"
    );
    ask(5).await;
    eventually("the mail of who came last", async || {
        mail.mails()
            .iter()
            .any(|mail| mail.to == [address(5)])
            .then_some(())
    })
    .await;
    assert!(!admin.get_once("/readyz").await.body.contains("left alone"));
    // SR-31.
    assert!(!server.log().contains("person0"), "{}", server.log());
}
